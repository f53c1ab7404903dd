// SPDX-License-Identifier: Apache-2.0
// The engine as a whole, and operators outside of graphs.
#include <algorithm>

#include "acl/acl_base.h"
#include "graph/failure.h"
#include "graph/ge.h"
#include "graph/nodes.h"
#include "meta/dtype.h"

namespace ge {

// Needs no setup: the client starts the device.
Status GEInitialize(const Options&) {
    return aclq::graph::kSuccess;
}
Status GEFinalize() {
    return aclq::graph::kSuccess;
}

AscendString GEGetWarningMsgV2() {
    return AscendString("");
}

const char* GetFormatName(Format format) {
    const char* const name = aclq::knownNameOf(static_cast<aclFormat>(format));
    return name != nullptr ? name : "RESERVED";
}

// torchair queries whether this version of the engine has a type of node, one of its inputs, or an attribute.
Operator OperatorFactory::CreateOperator(const char*, const char* type) {
    Operator made;
    aclq::graph::guarded([&] { made.type_ = std::make_shared<std::string>(type != nullptr ? type : ""); });
    return made;
}

namespace {

const aclq::graph::Kind& kindOf(const std::shared_ptr<std::string>& type) {
    const aclq::graph::Kind* kind = type ? aclq::graph::findKind(*type) : nullptr;
    if (kind == nullptr) {
        throw aclq::graph::Failure("the host device has no node of type '" + (type ? *type : std::string()) + "'");
    }
    return *kind;
}

}  // namespace

bool OperatorFactory::IsExistOp(const char* type) {
    return type != nullptr && aclq::graph::findKind(type) != nullptr;
}

Status Operator::UpdateInputDesc(const char* name, const TensorDesc&) {
    return aclq::graph::guarded([&] {
        const aclq::graph::Kind& kind = kindOf(type_);
        if (!kind.takesAny() &&
            std::find(kind.inputs.begin(), kind.inputs.end(), name != nullptr ? name : "") == kind.inputs.end()) {
            throw aclq::graph::Failure("nodes of type '" + *type_ + "' have no input '" +
                                       (name != nullptr ? name : "") + "'");
        }
    });
}

Status Operator::GetAllIrAttrNamesAndTypes(Options& attributes) const {
    return aclq::graph::guarded([&] {
        for (const std::string_view name : kindOf(type_).attributes) {
            attributes.emplace(std::string(name).c_str(), "");
        }
    });
}

}  // namespace ge
