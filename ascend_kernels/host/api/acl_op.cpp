// SPDX-License-Identifier: Apache-2.0
// Operators called by name: their descriptions are kept, running them is refused. Clients such as torch_npu fill in
// descriptions before they learn that.
#include "acl/acl_op.h"

#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "acl/acl_op_compiler.h"
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
};

// Nothing reads the values, as no operator runs.
struct aclopAttr {
    std::set<std::string> names;
};

namespace {

constexpr int kMaxDims = 128;

struct Objects {
    HandlePool<aclDataBuffer> buffers;
    HandlePool<aclTensorDesc> tensors;
    HandlePool<aclopAttr> attributes;
    std::mutex mutex;
    // What torch_npu insists on having an answer to: operators are not compiled as they come.
    std::map<aclCompileOpt, std::string> options{{ACL_OP_JIT_COMPILE, "disable"}};
};

Objects* makeObjects() { return new Objects; }
Objects& objects() { return PerProcess<Objects, makeObjects>::get(); }

template <class T, class Body>
T* create(const char* name, Body&& body) noexcept {
    T* made = nullptr;
    aclApi(name, [&]() -> aclError {
        made = body();
        return ACL_SUCCESS;
    });
    return made;
}

// A null or dead handle gives the fallback, as these functions have no status to return.
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
            return failArgument(ACL_ERROR_INVALID_PARAM, argument, handle == nullptr ? "null" : "an object that was destroyed, or is none", "a live object");
        }
        return apply(*found);
    });
}

aclError setDims(aclTensorDesc& desc, int count, const int64_t* dims) {
    if (count < 0 || count > kMaxDims || (count > 0 && dims == nullptr)) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "dims", text("%d of them at %p", count, static_cast<const void*>(dims)), text("0 to %d, not null", kMaxDims));
    }
    desc.dims.assign(dims, dims + count);
    return ACL_SUCCESS;
}

aclError setAttribute(const char* function, aclopAttr* attr, const char* name) {
    return change(function, objects().attributes, attr, "attr", [&](aclopAttr& found) -> aclError {
        if (name == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "attrName", "null", "a name");
        }
        found.names.insert(name);
        return ACL_SUCCESS;
    });
}

aclError refuseOperator(const char* function, const char* opType) {
    return aclApi(function, [&]() -> aclError {
        return failArgument(ACL_ERROR_API_NOT_SUPPORT, "opType", opType != nullptr ? text("'%s'", opType) : "null",
                            "none: the host device runs operators through their aclnn functions only, and has none for this call");
    });
}

}  // namespace

aclDataBuffer* aclCreateDataBuffer(void* data, size_t size) {
    return create<aclDataBuffer>(__func__, [&] { return objects().buffers.create(aclDataBuffer{data, size}); });
}

aclError aclDestroyDataBuffer(const aclDataBuffer* dataBuffer) {
    return aclApi(__func__, [&]() -> aclError {
        return dataBuffer == nullptr || objects().buffers.destroy(dataBuffer) ? ACL_SUCCESS : failArgument(ACL_ERROR_INVALID_PARAM, "dataBuffer", "an object that was destroyed, or is none", "a live object");
    });
}

void* aclGetDataBufferAddr(const aclDataBuffer* dataBuffer) {
    return look(objects().buffers, dataBuffer, static_cast<void*>(nullptr), [](const aclDataBuffer& found) { return found.data; });
}

size_t aclGetDataBufferSizeV2(const aclDataBuffer* dataBuffer) {
    return look(objects().buffers, dataBuffer, size_t{0}, [](const aclDataBuffer& found) { return found.size; });
}

aclTensorDesc* aclCreateTensorDesc(aclDataType dataType, int numDims, const int64_t* dims, aclFormat format) {
    return create<aclTensorDesc>(__func__, [&]() -> aclTensorDesc* {
        aclTensorDesc desc{dataType, format, {}, {}};
        return setDims(desc, numDims, dims) == ACL_SUCCESS ? objects().tensors.create(std::move(desc)) : nullptr;
    });
}

void aclDestroyTensorDesc(const aclTensorDesc* desc) { objects().tensors.destroy(desc); }

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
            return failArgument(ACL_ERROR_INVALID_PARAM, dimSize == nullptr ? "dimSize" : "index", dimSize == nullptr ? "null" : std::to_string(index),
                                dimSize == nullptr ? "a pointer for the result" : text("less than %zu", found.dims.size()));
        }
        *dimSize = found.dims[index];
        return ACL_SUCCESS;
    });
}

void aclSetTensorDescName(aclTensorDesc* desc, const char* name) {
    change(__func__, objects().tensors, static_cast<const aclTensorDesc*>(desc), "desc", [&](aclTensorDesc& found) -> aclError {
        found.name = name != nullptr ? name : "";
        return ACL_SUCCESS;
    });
}

const char* aclGetTensorDescName(aclTensorDesc* desc) {
    return look(objects().tensors, static_cast<const aclTensorDesc*>(desc), "", [](const aclTensorDesc& found) { return found.name.c_str(); });
}

aclError aclSetTensorFormat(aclTensorDesc* desc, aclFormat format) {
    return change(__func__, objects().tensors, static_cast<const aclTensorDesc*>(desc), "desc", [&](aclTensorDesc& found) -> aclError {
        found.format = format;
        return ACL_SUCCESS;
    });
}

aclError aclSetTensorShape(aclTensorDesc* desc, int numDims, const int64_t* dims) {
    return change(__func__, objects().tensors, static_cast<const aclTensorDesc*>(desc), "desc", [&](aclTensorDesc& found) { return setDims(found, numDims, dims); });
}

aclError aclSetTensorPlaceMent(aclTensorDesc* desc, aclMemType memType) {
    return change(__func__, objects().tensors, static_cast<const aclTensorDesc*>(desc), "desc", [&](aclTensorDesc& found) -> aclError {
        found.placement = memType;
        return ACL_SUCCESS;
    });
}

aclopAttr* aclopCreateAttr(void) {
    return create<aclopAttr>(__func__, [] { return objects().attributes.create(); });
}

void aclopDestroyAttr(const aclopAttr* attr) { objects().attributes.destroy(attr); }

aclError aclopSetAttrBool(aclopAttr* attr, const char* attrName, uint8_t) { return setAttribute(__func__, attr, attrName); }
aclError aclopSetAttrInt(aclopAttr* attr, const char* attrName, int64_t) { return setAttribute(__func__, attr, attrName); }
aclError aclopSetAttrFloat(aclopAttr* attr, const char* attrName, float) { return setAttribute(__func__, attr, attrName); }
aclError aclopSetAttrString(aclopAttr* attr, const char* attrName, const char*) { return setAttribute(__func__, attr, attrName); }
aclError aclopSetAttrDataType(aclopAttr* attr, const char* attrName, aclDataType) { return setAttribute(__func__, attr, attrName); }
aclError aclopSetAttrListBool(aclopAttr* attr, const char* attrName, int, const uint8_t*) { return setAttribute(__func__, attr, attrName); }
aclError aclopSetAttrListInt(aclopAttr* attr, const char* attrName, int, const int64_t*) { return setAttribute(__func__, attr, attrName); }
aclError aclopSetAttrListFloat(aclopAttr* attr, const char* attrName, int, const float*) { return setAttribute(__func__, attr, attrName); }
aclError aclopSetAttrListListInt(aclopAttr* attr, const char* attrName, int, const int*, const int64_t* const*) { return setAttribute(__func__, attr, attrName); }

aclError aclopCompileAndExecute(const char* opType, int, const aclTensorDesc* const*, const aclDataBuffer* const*, int, const aclTensorDesc* const*,
                                aclDataBuffer* const*, const aclopAttr*, aclopEngineType, aclopCompileType, const char*, aclrtStream) {
    return refuseOperator(__func__, opType);
}

aclError aclopCompileAndExecuteV2(const char* opType, int, aclTensorDesc**, aclDataBuffer**, int, aclTensorDesc**, aclDataBuffer**, aclopAttr*,
                                  aclopEngineType, aclopCompileType, const char*, aclrtStream) {
    return refuseOperator(__func__, opType);
}

aclError aclSetCompileopt(aclCompileOpt opt, const char* value) {
    return aclApi(__func__, [&]() -> aclError {
        if (value == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "value", "null", "a text");
        }
        const std::lock_guard lock(objects().mutex);
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
            return failArgument(ACL_ERROR_API_NOT_SUPPORT, "opt", std::to_string(static_cast<int>(opt)), "an option that was set");
        }
        if (value == nullptr || length <= found->second.size()) {
            return failArgument(ACL_ERROR_INVALID_PARAM, value == nullptr ? "value" : "length", value == nullptr ? "null" : std::to_string(length),
                                text("room for %zu characters", found->second.size() + 1));
        }
        std::memcpy(value, found->second.c_str(), found->second.size() + 1);
        return ACL_SUCCESS;
    });
}
