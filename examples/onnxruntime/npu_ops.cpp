// SPDX-License-Identifier: Apache-2.0
//
// ONNX Runtime runs models that torch_npu exported: npu::NPUQuantize and npu::NPUAntiQuant as custom operators, which
// call CANN's C interface. Types and shapes are not checked here: phase 1 does, and its sentence becomes ONNX Runtime's
// error.
#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
#undef ORT_API_MANUAL_INIT

#include <aclnnop/aclnn_ascend_anti_quant.h>
#include <aclnnop/aclnn_ascend_quant_v3.h>
#include <aclnnop/aclnn_quantize.h>

#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "npu.hpp"

namespace {

struct Type {
    ONNXTensorElementDataType onnx;
    aclDataType acl;
    std::size_t bytes;
};

const Type kTypes[] = {
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, ACL_FLOAT, 4},   {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, ACL_FLOAT16, 2},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, ACL_BF16, 2}, {ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, ACL_DOUBLE, 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, ACL_INT8, 1},     {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, ACL_UINT8, 1},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, ACL_INT32, 4},   {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, ACL_INT64, 8},
};

const Type& typeOf(ONNXTensorElementDataType onnx) {
    for (const Type& type : kTypes) {
        if (type.onnx == onnx) {
            return type;
        }
    }
    throw std::runtime_error("an input has the ONNX type " + std::to_string(onnx) +
                             ", which this library does not pass on");
}

const Type& typeOf(int64_t acl, const char* attribute) {
    for (const Type& type : kTypes) {
        if (type.acl == acl) {
            return type;
        }
    }
    throw std::runtime_error(std::string("attribute '") + attribute + "': got " + std::to_string(acl) +
                             ", which is not a known type");
}

// ONNX Runtime wants a status, not an exception.
template <typename Function>
OrtStatusPtr guarded(Function function) noexcept {
    try {
        function();
        return nullptr;
    } catch (const std::exception& error) {
        return Ort::GetApi().CreateStatus(ORT_FAIL, error.what());
    }
}

const npu::Device& device() {
    static const npu::Device only;
    return only;
}

// Device memory with a description; empty for an optional input that is not there.
struct Operand {
    std::optional<npu::Buffer> buffer;
    std::optional<npu::Tensor> tensor;

    aclTensor* get() const { return tensor ? tensor->get() : nullptr; }

    void create(const std::vector<int64_t>& shape, const Type& type) {
        std::size_t elements = 1;
        for (const int64_t dimension : shape) {
            elements *= static_cast<std::size_t>(dimension);
        }
        bytes_ = elements * type.bytes;
        buffer.emplace(bytes_ > 0 ? bytes_ : 1);
        tensor.emplace(*buffer, shape, type.acl);
    }
    void upload(const Ort::ConstValue& value) {
        const auto info = value.GetTensorTypeAndShapeInfo();
        create(info.GetShape(), typeOf(info.GetElementType()));
        npu::check(aclrtMemcpy(buffer->get(), bytes_, value.GetTensorRawData(), bytes_, ACL_MEMCPY_HOST_TO_DEVICE),
                   "aclrtMemcpy");
    }
    void download(void* to) const {
        npu::check(aclrtMemcpy(to, bytes_, buffer->get(), bytes_, ACL_MEMCPY_DEVICE_TO_HOST), "aclrtMemcpy");
    }

  private:
    std::size_t bytes_ = 0;
};

// One node of a session: its stream. Sessions run on any thread, and on several at once.
class Kernel {
  public:
    virtual ~Kernel() = default;

    OrtStatusPtr ComputeV2(OrtKernelContext* raw) noexcept {
        return guarded([&] {
            const std::lock_guard<std::mutex> lock(mutex_);
            device().use();
            const Ort::KernelContext context(raw);
            Operand inputs[3], output;
            for (std::size_t i = 0; i < context.GetInputCount(); ++i) {
                if (const auto value = context.GetInput(i); value != nullptr) {
                    inputs[i].upload(value);
                }
            }
            const auto shape = context.GetInput(0).GetTensorTypeAndShapeInfo().GetShape();
            output.create(shape, *type_);
            compute(inputs, output);
            stream_->synchronize();
            output.download(context.GetOutput(0, shape).GetTensorMutableRawData());
        });
    }

  protected:
    explicit Kernel(const Type& type) : type_(&type) {
        device().use();
        stream_.emplace();
    }
    virtual void compute(const Operand* inputs, const Operand& output) = 0;

    const Type* type_;
    std::optional<npu::Stream> stream_;

  private:
    std::mutex mutex_;
};

// inputs, scales, zero_points (or nothing); dtype: 2 qint8, 4 quint8, 3 qint32
class Quantize final : public Kernel {
  public:
    explicit Quantize(const Ort::ConstKernelInfo& info)
        : Kernel(typeOf(info.GetAttribute<int64_t>("dtype"), "dtype")),
          axis_(static_cast<int32_t>(info.GetAttribute<int64_t>("axis"))),
          divides_(info.GetAttribute<int64_t>("div_mode") != 0) {}

  private:
    void compute(const Operand* in, const Operand& out) override {
        if (divides_) {
            stream_->launch("aclnnQuantize", aclnnQuantizeGetWorkspaceSize, aclnnQuantize, in[0].get(), in[1].get(),
                            in[2].get(), type_->acl, axis_, out.get());
        } else {  // torch_npu's rule for the axis: the last one, or -2
            stream_->launch("aclnnAscendQuantV3", aclnnAscendQuantV3GetWorkspaceSize, aclnnAscendQuantV3, in[0].get(),
                            in[1].get(), in[2].get(), false, "round", static_cast<int32_t>(type_->acl),
                            axis_ < -1 ? axis_ : -1, out.get());
        }
    }
    int32_t axis_;
    bool divides_;
};

// x, scale, offset (or nothing); dst_dtype: 1 float16, 27 bfloat16; src_dtype is x's type
class AntiQuant final : public Kernel {
  public:
    explicit AntiQuant(const Ort::ConstKernelInfo& info)
        : Kernel(typeOf(info.GetAttribute<int64_t>("dst_dtype"), "dst_dtype")) {}

  private:
    void compute(const Operand* in, const Operand& out) override {
        stream_->launch("aclnnAscendAntiQuant", aclnnAscendAntiQuantGetWorkspaceSize, aclnnAscendAntiQuant, in[0].get(),
                        in[1].get(), in[2].get(), static_cast<int64_t>(type_->acl), false, out.get());
    }
};

// What ONNX Runtime asks about an operator: three inputs of any types, the last one optional; one output.
template <typename Derived, typename Implementation>
struct Operator : Ort::CustomOpBase<Derived, Kernel, true> {
    Operator() {
        this->InferOutputShapeFn = [](const OrtCustomOp*, OrtShapeInferContext* context) -> OrtStatusPtr {
            return guarded([&] { Operator::infer(Ort::GetApi(), context); });
        };
    }
    OrtStatusPtr CreateKernelV2(const OrtApi&, const OrtKernelInfo* info, void** kernel) const {
        return guarded([&] { *kernel = static_cast<Kernel*>(new Implementation(Ort::ConstKernelInfo(info))); });
    }
    std::size_t GetInputTypeCount() const { return 3; }
    ONNXTensorElementDataType GetInputType(std::size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED; }
    OrtCustomOpInputOutputCharacteristic GetInputCharacteristic(std::size_t index) const {
        return index == 2 ? INPUT_OUTPUT_OPTIONAL : INPUT_OUTPUT_REQUIRED;
    }
    std::size_t GetOutputTypeCount() const { return 1; }
    ONNXTensorElementDataType GetOutputType(std::size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED; }

  private:
    // The output has the first input's shape, whose dimensions may be open, and the type that the attribute names.
    static void infer(const OrtApi& api, OrtShapeInferContext* context) {
        const OrtOpAttr* attribute = nullptr;
        OrtTensorTypeAndShapeInfo* info = nullptr;
        int64_t type = 0;
        std::size_t size = 0;
        Ort::ThrowOnError(api.ShapeInferContext_GetAttribute(context, Derived::kTypeAttribute, &attribute));
        Ort::ThrowOnError(api.ReadOpAttr(attribute, ORT_OP_ATTR_INT, &type, sizeof type, &size));
        Ort::ThrowOnError(api.ShapeInferContext_GetInputTypeShape(context, 0, &info));  // the context's own copy
        Ort::ThrowOnError(api.SetTensorElementType(info, typeOf(type, Derived::kTypeAttribute).onnx));
        Ort::ThrowOnError(api.ShapeInferContext_SetOutputTypeShape(context, 0, info));
    }
};

struct QuantizeOperator : Operator<QuantizeOperator, Quantize> {
    static constexpr const char* kTypeAttribute = "dtype";
    const char* GetName() const { return "NPUQuantize"; }
};

struct AntiQuantOperator : Operator<AntiQuantOperator, AntiQuant> {
    static constexpr const char* kTypeAttribute = "dst_dtype";
    const char* GetName() const { return "NPUAntiQuant"; }
};

}  // namespace

// ONNX Runtime looks this name up.
extern "C" __attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(OrtSessionOptions* options,
                                                                               const OrtApiBase* base) {
    const OrtApi* api = base->GetApi(ORT_API_VERSION);
    if (api == nullptr) {
        return nullptr;  // older than these headers: the session will say that it does not know the operators
    }
    Ort::InitApi(api);
    return guarded([&] {
        static const QuantizeOperator quantize;
        static const AntiQuantOperator antiQuant;
        static Ort::CustomOpDomain domain("npu");
        static const bool filled = (domain.Add(&quantize), domain.Add(&antiQuant), true);
        static_cast<void>(filled);
        Ort::UnownedSessionOptions(options).Add(domain);
    });
}
