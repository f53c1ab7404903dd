// SPDX-License-Identifier: Apache-2.0
// Operators called by name: their descriptions and options.
#include "acl/acl_op.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acl/acl_op_compiler.h"
#include "meta/dtype.h"
#include "ops/by_name.h"
#include "runtime/handle_pool.h"
#include "runtime/per_process.h"
#include "runtime/status.h"

using namespace aclq;

struct aclDataBuffer {
    void* data;
    std::size_t size;
};

struct aclTensorDesc {
    aclDataType dtype;
    aclFormat format;
    std::vector<int64_t> dims;
    std::string name;
    aclMemType placement = ACL_MEMTYPE_DEVICE;
    std::vector<unsigned char> constant = {};  // the values of a constant input
};

// No operator reads attributes of other types.
struct aclopAttr {
    std::map<std::string, bool> flags;
    std::map<std::string, std::vector<int64_t>> integers;
    std::map<std::string, float> floats;
};

namespace {

constexpr int kMaxDims = 128;

struct Objects {
    HandlePool<aclDataBuffer> buffers;
    HandlePool<aclTensorDesc> tensors;
    HandlePool<aclopAttr> attributes;
    std::mutex mutex;
    // torch_npu requires an answer here: operators are not compiled on the fly.
    std::map<aclCompileOpt, std::string> options{{ACL_OP_JIT_COMPILE, "disable"}};
    bool compiling = false;  // the client has requested it
};

Objects* makeObjects() {
    return new Objects;
}
Objects& objects() {
    return PerProcess<Objects, makeObjects>::get();
}

template <class T, class Body>
T* create(const char* name, Body&& body) noexcept {
    T* made = nullptr;
    aclApi(name, [&]() -> aclError {
        made = body();
        return ACL_SUCCESS;
    });
    return made;
}

// A null or dead handle gives the fallback, because these functions return no status.
template <class T, class Value, class Get>
Value look(const HandlePool<T>& pool, const T* handle, Value fallback, Get&& get) {
    const T* found = pool.find(handle);
    return found != nullptr ? get(*found) : fallback;
}

template <class T, class Change>
aclError change(const char* name, const HandlePool<T>& pool, const T* handle, const char* argument, Change&& apply) {
    return aclApi(name, [&]() -> aclError {
        T* found = pool.find(handle);
        if (found == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, argument,
                                handle == nullptr ? "null" : "an object that was destroyed, or never existed",
                                "a live object");
        }
        return apply(*found);
    });
}

aclError setDims(aclTensorDesc& desc, int count, const int64_t* dims) {
    if (count < 0 || count > kMaxDims || (count > 0 && dims == nullptr)) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "dims",
                            text("%d of them at %p", count, static_cast<const void*>(dims)),
                            text("0 to %d, not null", kMaxDims));
    }
    desc.dims.assign(dims, dims + count);
    return ACL_SUCCESS;
}

// What this thread has described since it last set ACL_OP_JIT_COMPILE: the operator that it is about to call by name.
// Of more than two tensors, only their number matters.
struct Described {
    std::size_t count = 0;
    const aclTensorDesc* first[2] = {};
    bool attributes = false;
};
thread_local Described described;

template <class Set>
aclError setAttribute(const char* function, aclopAttr* attr, const char* name, Set&& set) {
    return change(function, objects().attributes, attr, "attr", [&](aclopAttr& found) -> aclError {
        if (name == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "attrName", "null", "a name");
        }
        set(found);
        described.attributes = true;
        return ACL_SUCCESS;
    });
}

aclError setAttribute(const char* function, aclopAttr* attr, const char* name) {
    return setAttribute(function, attr, name, [](aclopAttr&) {});
}

aclError read(const char* argument, int count, const aclTensorDesc* const* descs, const aclDataBuffer* const* buffers,
              std::vector<NamedTensor>& tensors) {
    for (int index = 0; index < count; ++index) {
        const aclTensorDesc* desc = descs != nullptr ? objects().tensors.find(descs[index]) : nullptr;
        const aclDataBuffer* buffer = buffers != nullptr ? objects().buffers.find(buffers[index]) : nullptr;
        if (desc == nullptr || buffer == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, argument, text("null or no object as number %d", index),
                                "a live description and a live buffer of each tensor");
        }
        if (!desc->constant.empty()) {
            // Lives as long as the description, which the client destroys after the call.
            void* values = const_cast<unsigned char*>(desc->constant.data());
            tensors.push_back({desc->dtype, desc->dims, true, values, desc->constant.size()});
            continue;
        }
        tensors.push_back({desc->dtype, desc->dims, desc->placement != ACL_MEMTYPE_DEVICE, buffer->data, buffer->size});
    }
    return ACL_SUCCESS;
}

// With `found`, shapes that the operator determines are stored there.
aclError run(const char* function, const char* opType, int numInputs, const aclTensorDesc* const* inputDesc,
             const aclDataBuffer* const* inputs, int numOutputs, const aclTensorDesc* const* outputDesc,
             const aclDataBuffer* const* outputs, const aclopAttr* attr, aclrtStream stream, aclTensorDesc** found) {
    return aclApi(function, [&]() -> aclError {
        NamedCall call{{}, {}, {}, {}, {}, found != nullptr, stream};
        ACLQ_RETURN_IF_FAILED(checkName(opType));
        ACLQ_RETURN_IF_FAILED(read("inputs", numInputs, inputDesc, inputs, call.inputs));
        ACLQ_RETURN_IF_FAILED(read("outputs", numOutputs, outputDesc, outputs, call.outputs));
        if (const aclopAttr* given = objects().attributes.find(attr); given != nullptr) {
            call.flags = given->flags;
            call.integers = given->integers;
            call.floats = given->floats;
        }
        ACLQ_RETURN_IF_FAILED(runByName(opType, call));
        for (int index = 0; found != nullptr && index < numOutputs; ++index) {
            objects().tensors.find(found[index])->dims = call.outputs[static_cast<std::size_t>(index)].dims;
        }
        return ACL_SUCCESS;
    });
}

std::int64_t elementsOf(const aclTensorDesc& desc) {
    std::int64_t size = 1;
    for (const std::int64_t dim : desc.dims) {
        size = __builtin_mul_overflow(size, dim, &size) ? -1 : size;
    }
    return size;
}

// Whether this could be Identity: no attributes, and two tensors in plain formats, of one type and with as many
// elements. Other functions of one tensor look the same; by_name.cpp has all of torch_npu's.
bool mayBeIdentity(const Described& seen) {
    if (seen.attributes) {
        return false;
    }
    const aclTensorDesc* from = seen.count == 2 ? objects().tensors.find(seen.first[0]) : nullptr;
    const aclTensorDesc* to = seen.count == 2 ? objects().tensors.find(seen.first[1]) : nullptr;
    return from != nullptr && to != nullptr && from->dtype == to->dtype && !isPrivate(from->format) &&
           !isPrivate(to->format) && elementsOf(*from) == elementsOf(*to);
}

// In its mode 1, torch_npu sets this option before each operator that it calls by name, and raises if that fails. It
// sees the failure of the operator itself only later, in another thread, and its queue then stops. So the option is
// refused if it requests operators of the ready-made kind, until the client has requested compilation. The name is not
// known here, but the tensors are: those of Identity, which torch_npu calls when it changes a format, are two alike.
// And without tensors no operator follows: a program has set the mode.
bool refusesReadyMade(aclCompileOpt opt, std::string_view value) {
    if (opt != ACL_OP_JIT_COMPILE) {  // torch_npu sets others after it has described the tensors
        return false;
    }
    const char* mode = std::getenv("ACL_OP_INIT_MODE");
    const Described seen = std::exchange(described, {});
    return value == "disable" && !objects().compiling && mode != nullptr && std::string_view(mode) == "1" &&
           seen.count != 0 && !mayBeIdentity(seen);
}

}  // namespace

aclDataBuffer* aclCreateDataBuffer(void* data, size_t size) {
    return create<aclDataBuffer>(__func__, [&] { return objects().buffers.create(aclDataBuffer{data, size}); });
}

aclError aclDestroyDataBuffer(const aclDataBuffer* dataBuffer) {
    return aclApi(__func__, [&]() -> aclError {
        return dataBuffer == nullptr || objects().buffers.destroy(dataBuffer)
                   ? ACL_SUCCESS
                   : failArgument(ACL_ERROR_INVALID_PARAM, "dataBuffer",
                                  "an object that was destroyed, or never existed", "a live object");
    });
}

void* aclGetDataBufferAddr(const aclDataBuffer* dataBuffer) {
    return look(objects().buffers, dataBuffer, static_cast<void*>(nullptr),
                [](const aclDataBuffer& found) { return found.data; });
}

size_t aclGetDataBufferSizeV2(const aclDataBuffer* dataBuffer) {
    return look(objects().buffers, dataBuffer, size_t{0}, [](const aclDataBuffer& found) { return found.size; });
}

aclTensorDesc* aclCreateTensorDesc(aclDataType dataType, int numDims, const int64_t* dims, aclFormat format) {
    return create<aclTensorDesc>(__func__, [&]() -> aclTensorDesc* {
        aclTensorDesc desc{dataType, format, {}, {}};
        if (setDims(desc, numDims, dims) != ACL_SUCCESS) {
            return nullptr;
        }
        aclTensorDesc* made = objects().tensors.create(std::move(desc));
        if (described.count < 2) {
            described.first[described.count] = made;
        }
        ++described.count;
        return made;
    });
}

void aclDestroyTensorDesc(const aclTensorDesc* desc) {
    objects().tensors.destroy(desc);
}

aclDataType aclGetTensorDescType(const aclTensorDesc* desc) {
    return look(objects().tensors, desc, ACL_DT_UNDEFINED, [](const aclTensorDesc& found) { return found.dtype; });
}

aclFormat aclGetTensorDescFormat(const aclTensorDesc* desc) {
    return look(objects().tensors, desc, ACL_FORMAT_UNDEFINED, [](const aclTensorDesc& found) { return found.format; });
}

size_t aclGetTensorDescNumDims(const aclTensorDesc* desc) {
    return look(objects().tensors, desc, size_t{0}, [](const aclTensorDesc& found) { return found.dims.size(); });
}

aclError aclGetTensorDescDimV2(const aclTensorDesc* desc, size_t index, int64_t* dimSize) {
    return change(__func__, objects().tensors, desc, "desc", [&](aclTensorDesc& found) -> aclError {
        if (dimSize == nullptr || index >= found.dims.size()) {
            return failArgument(
                ACL_ERROR_INVALID_PARAM, dimSize == nullptr ? "dimSize" : "index",
                dimSize == nullptr ? "null" : std::to_string(index),
                dimSize == nullptr ? "a pointer for the result" : text("less than %zu", found.dims.size()));
        }
        *dimSize = found.dims[index];
        return ACL_SUCCESS;
    });
}

size_t aclGetTensorDescSize(const aclTensorDesc* desc) {
    return look(objects().tensors, desc, size_t{0}, [](const aclTensorDesc& found) {
        std::size_t bits = static_cast<std::size_t>(bitsOf(found.dtype));
        for (const int64_t dim : found.dims) {
            if (dim < 0 || __builtin_mul_overflow(bits, static_cast<std::size_t>(dim), &bits)) {
                return SIZE_MAX;
            }
        }
        return bits / 8 + (bits % 8 != 0);
    });
}

aclError aclSetTensorConst(aclTensorDesc* desc, void* dataBuffer, size_t length) {
    return change(__func__, objects().tensors, static_cast<const aclTensorDesc*>(desc), "desc",
                  [&](aclTensorDesc& found) -> aclError {
                      if (dataBuffer == nullptr || length == 0) {
                          return failArgument(ACL_ERROR_INVALID_PARAM, dataBuffer == nullptr ? "dataBuffer" : "length",
                                              dataBuffer == nullptr ? "null" : "0", "the values of the constant");
                      }
                      const auto* bytes = static_cast<const unsigned char*>(dataBuffer);
                      found.constant.assign(bytes, bytes + length);
                      return ACL_SUCCESS;
                  });
}

void aclSetTensorDescName(aclTensorDesc* desc, const char* name) {
    change(__func__, objects().tensors, static_cast<const aclTensorDesc*>(desc), "desc",
           [&](aclTensorDesc& found) -> aclError {
               found.name = name != nullptr ? name : "";
               return ACL_SUCCESS;
           });
}

const char* aclGetTensorDescName(aclTensorDesc* desc) {
    return look(objects().tensors, static_cast<const aclTensorDesc*>(desc), "",
                [](const aclTensorDesc& found) { return found.name.c_str(); });
}

aclError aclSetTensorFormat(aclTensorDesc* desc, aclFormat format) {
    return change(__func__, objects().tensors, static_cast<const aclTensorDesc*>(desc), "desc",
                  [&](aclTensorDesc& found) -> aclError {
                      found.format = format;
                      return ACL_SUCCESS;
                  });
}

aclError aclSetTensorShape(aclTensorDesc* desc, int numDims, const int64_t* dims) {
    return change(__func__, objects().tensors, static_cast<const aclTensorDesc*>(desc), "desc",
                  [&](aclTensorDesc& found) { return setDims(found, numDims, dims); });
}

aclError aclSetTensorPlaceMent(aclTensorDesc* desc, aclMemType memType) {
    return change(__func__, objects().tensors, static_cast<const aclTensorDesc*>(desc), "desc",
                  [&](aclTensorDesc& found) -> aclError {
                      found.placement = memType;
                      return ACL_SUCCESS;
                  });
}

aclopAttr* aclopCreateAttr(void) {
    return create<aclopAttr>(__func__, [] { return objects().attributes.create(); });
}

void aclopDestroyAttr(const aclopAttr* attr) {
    objects().attributes.destroy(attr);
}

aclError aclopSetAttrBool(aclopAttr* attr, const char* attrName, uint8_t attrValue) {
    return setAttribute(__func__, attr, attrName, [&](aclopAttr& found) { found.flags[attrName] = attrValue != 0; });
}
aclError aclopSetAttrInt(aclopAttr* attr, const char* attrName, int64_t attrValue) {
    return setAttribute(__func__, attr, attrName, [&](aclopAttr& found) { found.integers[attrName] = {attrValue}; });
}
aclError aclopSetAttrFloat(aclopAttr* attr, const char* attrName, float attrValue) {
    return setAttribute(__func__, attr, attrName, [&](aclopAttr& found) { found.floats[attrName] = attrValue; });
}
aclError aclopSetAttrString(aclopAttr* attr, const char* attrName, const char*) {
    return setAttribute(__func__, attr, attrName);
}
aclError aclopSetAttrDataType(aclopAttr* attr, const char* attrName, aclDataType) {
    return setAttribute(__func__, attr, attrName);
}
aclError aclopSetAttrListBool(aclopAttr* attr, const char* attrName, int, const uint8_t*) {
    return setAttribute(__func__, attr, attrName);
}
aclError aclopSetAttrListInt(aclopAttr* attr, const char* attrName, int numValues, const int64_t* values) {
    return setAttribute(__func__, attr, attrName, [&](aclopAttr& found) {
        found.integers[attrName].assign(values, values != nullptr && numValues > 0 ? values + numValues : values);
    });
}
aclError aclopSetAttrListFloat(aclopAttr* attr, const char* attrName, int, const float*) {
    return setAttribute(__func__, attr, attrName);
}
aclError aclopSetAttrListListInt(aclopAttr* attr, const char* attrName, int, const int*, const int64_t* const*) {
    return setAttribute(__func__, attr, attrName);
}

aclError aclopCompileAndExecute(const char* opType, int numInputs, const aclTensorDesc* const* inputDesc,
                                const aclDataBuffer* const* inputs, int numOutputs,
                                const aclTensorDesc* const* outputDesc, aclDataBuffer* const* outputs,
                                const aclopAttr* attr, aclopEngineType, aclopCompileType, const char*,
                                aclrtStream stream) {
    return run(__func__, opType, numInputs, inputDesc, inputs, numOutputs, outputDesc, outputs, attr, stream, nullptr);
}

aclError aclopCompileAndExecuteV2(const char* opType, int numInputs, aclTensorDesc** inputDesc, aclDataBuffer** inputs,
                                  int numOutputs, aclTensorDesc** outputDesc, aclDataBuffer** outputs, aclopAttr* attr,
                                  aclopEngineType, aclopCompileType, const char*, aclrtStream stream) {
    return run(__func__, opType, numInputs, inputDesc, inputs, numOutputs, outputDesc, outputs, attr, stream,
               outputDesc);
}

aclError aclSetCompileopt(aclCompileOpt opt, const char* value) {
    return aclApi(__func__, [&]() -> aclError {
        if (value == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "value", "null", "a text");
        }
        const std::lock_guard lock(objects().mutex);
        if (refusesReadyMade(opt, value)) {
            return failArgument(ACL_ERROR_API_NOT_SUPPORT, "value",
                                "'disable' for ACL_OP_JIT_COMPILE before an operator called by name",
                                "'enable': the host device has no operators of this kind ready made, and no aclnn "
                                "function for this call");
        }
        objects().compiling = objects().compiling || (opt == ACL_OP_JIT_COMPILE && std::string_view(value) == "enable");
        objects().options[opt] = value;
        return ACL_SUCCESS;
    });
}

size_t aclGetCompileoptSize(aclCompileOpt opt) {
    const std::lock_guard lock(objects().mutex);
    const auto found = objects().options.find(opt);
    return found != objects().options.end() ? found->second.size() + 1 : 0;
}

aclError aclGetCompileopt(aclCompileOpt opt, char* value, size_t length) {
    return aclApi(__func__, [&]() -> aclError {
        const std::lock_guard lock(objects().mutex);
        const auto found = objects().options.find(opt);
        if (found == objects().options.end()) {
            return failArgument(ACL_ERROR_API_NOT_SUPPORT, "opt", std::to_string(static_cast<int>(opt)),
                                "an option that was set");
        }
        if (value == nullptr || length <= found->second.size()) {
            return failArgument(ACL_ERROR_INVALID_PARAM, value == nullptr ? "value" : "length",
                                value == nullptr ? "null" : std::to_string(length),
                                text("room for %zu characters", found->second.size() + 1));
        }
        std::memcpy(value, found->second.c_str(), found->second.size() + 1);
        return ACL_SUCCESS;
    });
}
