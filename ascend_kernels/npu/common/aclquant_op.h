// SPDX-License-Identifier: Apache-2.0
// What the host sides share: operator definitions with a column for each combination of types, and the way from CANN's
// tiling context to the tiling functions. C++11, as CANN's projects compile it.
#pragma once

#include <string>
#include <vector>

#include "register/op_def_registry.h"
#include "tiling/platform/platform_ascendc.h"

#include "../op_kernel/aclquant_tiling.h"

namespace aclquant {

struct Parameter {
    const char* name;
    bool input;
    bool required;
};

// Supported combinations of types; one kernel is compiled for each.
class Columns {
  public:
    void Add(const std::vector<ge::DataType>& column) { columns_.push_back(column); }
    std::vector<ge::DataType> Of(size_t parameter) const {
        std::vector<ge::DataType> types;
        for (const auto& column : columns_) {
            types.push_back(column[parameter]);
        }
        return types;
    }
    size_t Size() const { return columns_.size(); }

  private:
    std::vector<std::vector<ge::DataType>> columns_;
};

// `definition`: an OpDef, or the configuration of one chip.
template <class Definition>
void Describe(Definition& definition, const std::vector<Parameter>& parameters, const Columns& columns) {
    const std::vector<ge::Format> formats(columns.Size(), ge::FORMAT_ND);
    for (size_t i = 0; i < parameters.size(); ++i) {
        auto& described =
            parameters[i].input ? definition.Input(parameters[i].name) : definition.Output(parameters[i].name);
        described.ParamType(parameters[i].required ? ops::REQUIRED : ops::OPTIONAL)
            .DataType(columns.Of(i))
            .Format(formats)
            .UnknownShapeFormat(formats);
        if (parameters[i].input) {
            described.AutoContiguous();
        }
    }
}

// A2 and A3 as the operator is defined, the inference series with its own columns.
inline void AddChips(ops::OpDef& op, ops::OpAICoreDef& core, const std::vector<Parameter>& parameters,
                     const Columns& all, const Columns& inferenceSeries) {
    Describe(op, parameters, all);
    core.AddConfig("ascend910b").AddConfig("ascend910_93");
    ops::OpAICoreConfig config;
    Describe(config, parameters, inferenceSeries);
    config.DynamicCompileStaticFlag(true).DynamicRankSupportFlag(true).DynamicShapeSupportFlag(true);
    core.AddConfig("ascend310p", config);
}

// Of the unified buffer CANN's own library keeps 8 KiB.
constexpr uint64_t kReservedLocalBytes = 8192;

inline TilingChip ChipOf(gert::TilingContext* context) {
    const platform_ascendc::PlatformAscendC platform(context->GetPlatformInfo());
    uint64_t local = 0;
    platform.GetCoreMemSize(platform_ascendc::CoreMemType::UB, local);
    return TilingChip{platform.GetCoreNumAiv(), static_cast<uint32_t>(local - kReservedLocalBytes),
                      platform.GetSocVersion() != platform_ascendc::SocVersion::ASCEND310P};
}

template <class Plan>
ge::graphStatus Give(gert::TilingContext* context, const Plan& plan) {
    using Tiling = decltype(plan.tiling);
    typename std::remove_const<typename std::remove_reference<Tiling>::type>::type* tiling =
        context->GetTilingData<typename std::remove_const<typename std::remove_reference<Tiling>::type>::type>();
    if (tiling == nullptr) {
        return ge::GRAPH_FAILED;
    }
    *tiling = plan.tiling;
    context->SetBlockDim(plan.blocks);
    context->SetTilingKey(plan.key);
    const platform_ascendc::PlatformAscendC platform(context->GetPlatformInfo());
    context->GetWorkspaceSizes(1)[0] = platform.GetLibApiWorkSpaceSize();
    return ge::GRAPH_SUCCESS;
}

inline uint64_t Elements(const gert::StorageShape* shape) {
    if (shape == nullptr) {
        return 0;
    }
    uint64_t elements = 1;
    for (size_t i = 0; i < shape->GetStorageShape().GetDimNum(); ++i) {
        elements *= static_cast<uint64_t>(shape->GetStorageShape().GetDim(i));
    }
    return elements;
}

inline uint32_t BitsOf(ge::DataType type) {
    switch (type) {
        case ge::DT_INT4:
            return 4;
        case ge::DT_INT8:
        case ge::DT_UINT8:
            return 8;
        case ge::DT_FLOAT16:
        case ge::DT_BF16:
            return 16;
        default:
            return 32;
    }
}

// For graphs: the output has the shape of the first input. An INT32 that holds eight int4 has no way to say so there.
inline ge::graphStatus SameShape(gert::InferShapeContext* context) {
    *context->GetOutputShape(0) = *context->GetInputShape(0);
    return ge::GRAPH_SUCCESS;
}

}  // namespace aclquant
