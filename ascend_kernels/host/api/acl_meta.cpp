// SPDX-License-Identifier: Apache-2.0
// Tensors, scalars, arrays, lists and executors as clients make and destroy them.
#include "aclnn/acl_meta.h"

#include <cstring>

#include "aclnn/aclnn_base.h"
#include "meta/late_shape.h"
#include "meta/pools.h"
#include "runtime/status.h"

using namespace aclq;

namespace {

template <class Body>
aclnnStatus metaApi(const char* name, Body&& body) noexcept {
    return api(name, ACLNN_ERR_INNER_NULLPTR, ACLNN_ERR_INNER, static_cast<Body&&>(body));
}

// Creators return null on failure.
template <class T, class Body>
T* create(const char* name, Body&& body) noexcept {
    T* made = nullptr;
    metaApi(name, [&]() -> aclnnStatus {
        made = body();
        return ACLNN_SUCCESS;
    });
    return made;
}

template <class T>
aclnnStatus destroy(const char* name, HandlePool<T>& pool, const T* handle) noexcept {
    return metaApi(name, [&]() -> aclnnStatus {
        if (handle == nullptr || pool.destroy(handle)) {
            return ACLNN_SUCCESS;
        }
        return fail(ACLNN_ERR_PARAM_INVALID,
                    text("got %p; allowed: a live object of this kind or null (it was destroyed, or never made)",
                         static_cast<const void*>(handle)));
    });
}

// Finds a live object: null gives 161001 (or the given code), any other invalid handle 161002.
template <class T>
aclnnStatus require(HandlePool<T>& pool, const T* handle, const char* argument, T*& found,
                    aclnnStatus nullCode = ACLNN_ERR_PARAM_NULLPTR) {
    if (handle == nullptr) {
        return failArgument(nullCode, argument, "null", "a live object");
    }
    found = pool.find(handle);
    return found != nullptr ? ACLNN_SUCCESS
                            : failArgument(ACLNN_ERR_PARAM_INVALID, argument,
                                           text("%p", static_cast<const void*>(handle)), "a live object");
}

// Arrays of dimensions belong to the caller, who releases them with delete[].
aclnnStatus giveDims(const char* name, const aclTensor* tensor, int64_t** values, uint64_t* count,
                     Dims aclTensor::*dims) {
    return metaApi(name, [&]() -> aclnnStatus {
        aclTensor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().tensors, tensor, "tensor", found));
        ACLQ_RETURN_IF_FAILED(requireOut(values, "values", ACLNN_ERR_PARAM_NULLPTR));
        ACLQ_RETURN_IF_FAILED(requireOut(count, "count", ACLNN_ERR_PARAM_NULLPTR));
        settle(*found);
        const Dims& chosen = found->*dims;
        *values = new int64_t[static_cast<size_t>(chosen.rank())];
        std::memcpy(*values, chosen.data(), static_cast<size_t>(chosen.rank()) * sizeof(int64_t));
        *count = static_cast<uint64_t>(chosen.rank());
        return ACLNN_SUCCESS;
    });
}

template <class T>
aclnnStatus giveSize(const char* name, HandlePool<T>& pool, const T* array, uint64_t* size, size_t (*count)(const T&)) {
    return metaApi(name, [&]() -> aclnnStatus {
        T* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pool, array, "array", found));
        ACLQ_RETURN_IF_FAILED(requireOut(size, "size", ACLNN_ERR_PARAM_NULLPTR));
        *size = count(*found);
        return ACLNN_SUCCESS;
    });
}

aclnnStatus setAddress(const char* name, aclOpExecutor* executor, aclTensor* tensor, void* addr) {
    return metaApi(name, [&]() -> aclnnStatus {
        aclTensor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().tensors, tensor, "tensor", found, ACLNN_ERR_INNER_NULLPTR));
        found->data = addr;
        aclOpExecutor* live = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().executors, executor, "executor", live, ACLNN_ERR_INNER_NULLPTR));
        for (const aclOpExecutor::Argument& argument : live->arguments) {
            if (argument.tensor == found) {
                return ACLNN_SUCCESS;
            }
        }
        return failArgument(ACLNN_ERR_PARAM_INVALID, "tensor", "a tensor this executor does not use",
                            "a tensor that was given to its phase 1");
    });
}

aclnnStatus setListAddress(const char* name, aclOpExecutor* executor, size_t relativeIndex, aclTensorList* tensors,
                           void* addr) {
    aclTensor* tensor = nullptr;
    const aclnnStatus status = metaApi(name, [&]() -> aclnnStatus {
        aclTensorList* list = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().tensorLists, tensors, "tensors", list, ACLNN_ERR_INNER_NULLPTR));
        if (relativeIndex >= list->tensors.size()) {
            return failArgument(ACLNN_ERR_PARAM_INVALID, "relativeIndex", std::to_string(relativeIndex),
                                text("less than %zu", list->tensors.size()));
        }
        tensor = list->tensors[relativeIndex];
        return ACLNN_SUCCESS;
    });
    return status != ACLNN_SUCCESS ? status : setAddress(name, executor, tensor, addr);
}

void describeTensor(aclTensor& tensor, const int64_t* viewDims, uint64_t viewDimsNum, aclDataType dataType,
                    const int64_t* stride, int64_t offset, aclFormat format, const int64_t* storageDims,
                    uint64_t storageDimsNum, void* data) {
    tensor.dtype = dataType;
    tensor.format = format;
    tensor.offset = offset;
    tensor.late.reset();
    if (viewDims != nullptr || viewDimsNum == 0) {
        tensor.shape = Dims(viewDims, viewDimsNum);
        tensor.strides = stride != nullptr ? Dims(stride, viewDimsNum) : Dims::contiguousStrides(tensor.shape);
    } else if (stride != nullptr) {
        tensor.strides = Dims(stride, static_cast<uint64_t>(tensor.shape.rank()));
    }
    if (storageDims != nullptr || storageDimsNum == 0) {
        tensor.storage = Dims(storageDims, storageDimsNum);
    }
    if (data != nullptr) {
        tensor.data = data;
    }
}

}  // namespace

aclTensor* aclCreateTensor(const int64_t* viewDims, uint64_t viewDimsNum, aclDataType dataType, const int64_t* stride,
                           int64_t offset, aclFormat format, const int64_t* storageDims, uint64_t storageDimsNum,
                           void* tensorData) {
    return create<aclTensor>(__func__, [&]() -> aclTensor* {
        if ((viewDims == nullptr && viewDimsNum > 0) || (storageDims == nullptr && storageDimsNum > 0)) {
            fail(ACLNN_ERR_PARAM_NULLPTR, text("argument '%s': got null with a count above 0; allowed: the dimensions",
                                               viewDims == nullptr && viewDimsNum > 0 ? "viewDims" : "storageDims"));
            return nullptr;
        }
        aclTensor tensor;
        describeTensor(tensor, viewDims, viewDimsNum, dataType, stride, offset, format, storageDims, storageDimsNum,
                       tensorData);
        return pools().tensors.create(tensor);
    });
}

aclScalar* aclCreateScalar(void* value, aclDataType dataType) {
    return create<aclScalar>(__func__, [&]() -> aclScalar* {
        const bool representable = bitsOf(dataType) >= 8 && dataType != ACL_COMPLEX32;
        if (value == nullptr || !representable) {
            failArgument(value == nullptr ? ACLNN_ERR_PARAM_NULLPTR : ACLNN_ERR_PARAM_INVALID,
                         value == nullptr ? "value" : "dataType", value == nullptr ? "null" : nameOf(dataType),
                         value == nullptr ? "a value" : "a type with a host representation");
            return nullptr;
        }
        const auto* bytes = static_cast<const unsigned char*>(value);
        return pools().scalars.create(aclScalar{dataType, {bytes, bytes + bitsOf(dataType) / 8}});
    });
}

aclIntArray* aclCreateIntArray(const int64_t* value, uint64_t size) {
    return create<aclIntArray>(__func__, [&] {
        return pools().intArrays.create(value != nullptr ? aclIntArray{{value, value + size}} : aclIntArray{});
    });
}

aclFloatArray* aclCreateFloatArray(const float* value, uint64_t size) {
    return create<aclFloatArray>(__func__, [&] {
        return pools().floatArrays.create(value != nullptr ? aclFloatArray{{value, value + size}} : aclFloatArray{});
    });
}

aclBoolArray* aclCreateBoolArray(const bool* value, uint64_t size) {
    return create<aclBoolArray>(__func__, [&] {
        return pools().boolArrays.create(value != nullptr ? aclBoolArray{{value, value + size}} : aclBoolArray{});
    });
}

aclTensorList* aclCreateTensorList(const aclTensor* const* value, uint64_t size) {
    return create<aclTensorList>(__func__, [&] {
        aclTensorList list;
        for (uint64_t index = 0; value != nullptr && index < size; ++index) {
            list.tensors.push_back(const_cast<aclTensor*>(value[index]));
        }
        return pools().tensorLists.create(std::move(list));
    });
}

aclScalarList* aclCreateScalarList(const aclScalar* const* value, uint64_t size) {
    return create<aclScalarList>(__func__, [&] {
        aclScalarList list;
        for (uint64_t index = 0; value != nullptr && index < size; ++index) {
            list.scalars.push_back(const_cast<aclScalar*>(value[index]));
        }
        return pools().scalarLists.create(std::move(list));
    });
}

aclnnStatus aclDestroyTensor(const aclTensor* tensor) {
    return destroy(__func__, pools().tensors, tensor);
}
aclnnStatus aclDestroyScalar(const aclScalar* scalar) {
    return destroy(__func__, pools().scalars, scalar);
}
aclnnStatus aclDestroyIntArray(const aclIntArray* array) {
    return destroy(__func__, pools().intArrays, array);
}
aclnnStatus aclDestroyFloatArray(const aclFloatArray* array) {
    return destroy(__func__, pools().floatArrays, array);
}
aclnnStatus aclDestroyBoolArray(const aclBoolArray* array) {
    return destroy(__func__, pools().boolArrays, array);
}

aclnnStatus aclDestroyTensorList(const aclTensorList* array) {
    const aclTensorList* list = array != nullptr ? pools().tensorLists.find(array) : nullptr;
    const std::vector<aclTensor*> owned = list != nullptr ? list->tensors : std::vector<aclTensor*>();
    const aclnnStatus status = destroy(__func__, pools().tensorLists, array);
    for (const aclTensor* tensor : owned) {
        pools().tensors.destroy(tensor);
    }
    return status;
}

aclnnStatus aclDestroyScalarList(const aclScalarList* array) {
    const aclScalarList* list = array != nullptr ? pools().scalarLists.find(array) : nullptr;
    const std::vector<aclScalar*> owned = list != nullptr ? list->scalars : std::vector<aclScalar*>();
    const aclnnStatus status = destroy(__func__, pools().scalarLists, array);
    for (const aclScalar* scalar : owned) {
        pools().scalars.destroy(scalar);
    }
    return status;
}

aclnnStatus aclGetViewShape(const aclTensor* tensor, int64_t** viewDims, uint64_t* viewDimsNum) {
    return giveDims(__func__, tensor, viewDims, viewDimsNum, &aclTensor::shape);
}
aclnnStatus aclGetStorageShape(const aclTensor* tensor, int64_t** storageDims, uint64_t* storageDimsNum) {
    return giveDims(__func__, tensor, storageDims, storageDimsNum, &aclTensor::storage);
}
aclnnStatus aclGetViewStrides(const aclTensor* tensor, int64_t** stridesValue, uint64_t* stridesNum) {
    return giveDims(__func__, tensor, stridesValue, stridesNum, &aclTensor::strides);
}

aclnnStatus aclGetViewOffset(const aclTensor* tensor, int64_t* offset) {
    return metaApi(__func__, [&]() -> aclnnStatus {
        aclTensor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().tensors, tensor, "tensor", found));
        ACLQ_RETURN_IF_FAILED(requireOut(offset, "offset", ACLNN_ERR_PARAM_NULLPTR));
        *offset = found->offset;
        return ACLNN_SUCCESS;
    });
}

aclnnStatus aclGetFormat(const aclTensor* tensor, aclFormat* format) {
    return metaApi(__func__, [&]() -> aclnnStatus {
        aclTensor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().tensors, tensor, "tensor", found));
        ACLQ_RETURN_IF_FAILED(requireOut(format, "format", ACLNN_ERR_PARAM_NULLPTR));
        *format = found->format;
        return ACLNN_SUCCESS;
    });
}

aclnnStatus aclGetDataType(const aclTensor* tensor, aclDataType* dataType) {
    return metaApi(__func__, [&]() -> aclnnStatus {
        aclTensor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().tensors, tensor, "tensor", found));
        ACLQ_RETURN_IF_FAILED(requireOut(dataType, "dataType", ACLNN_ERR_PARAM_NULLPTR));
        const bool known = bitsOf(found->dtype) != 0 || found->dtype == ACL_STRING;
        *dataType = known ? found->dtype : ACL_DT_UNDEFINED;
        return ACLNN_SUCCESS;
    });
}

aclnnStatus aclGetIntArraySize(const aclIntArray* array, uint64_t* size) {
    return giveSize<aclIntArray>(__func__, pools().intArrays, array, size,
                                 [](const aclIntArray& found) { return found.values.size(); });
}
aclnnStatus aclGetFloatArraySize(const aclFloatArray* array, uint64_t* size) {
    return giveSize<aclFloatArray>(__func__, pools().floatArrays, array, size,
                                   [](const aclFloatArray& found) { return found.values.size(); });
}
aclnnStatus aclGetBoolArraySize(const aclBoolArray* array, uint64_t* size) {
    return giveSize<aclBoolArray>(__func__, pools().boolArrays, array, size,
                                  [](const aclBoolArray& found) { return found.values.size(); });
}
aclnnStatus aclGetTensorListSize(const aclTensorList* tensorList, uint64_t* size) {
    return giveSize<aclTensorList>(__func__, pools().tensorLists, tensorList, size,
                                   [](const aclTensorList& found) { return found.tensors.size(); });
}
aclnnStatus aclGetScalarListSize(const aclScalarList* scalarList, uint64_t* size) {
    return giveSize<aclScalarList>(__func__, pools().scalarLists, scalarList, size,
                                   [](const aclScalarList& found) { return found.scalars.size(); });
}

aclnnStatus aclInitTensor(aclTensor* tensor, const int64_t* viewDims, uint64_t viewDimsNum, aclDataType dataType,
                          const int64_t* stride, int64_t offset, aclFormat format, const int64_t* storageDims,
                          uint64_t storageDimsNum, void* tensorDataAddr) {
    return metaApi(__func__, [&]() -> aclnnStatus {
        aclTensor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().tensors, tensor, "tensor", found));
        // A null pointer keeps the tensor's present value.
        describeTensor(*found, viewDims, viewDims != nullptr ? viewDimsNum : 1, dataType, stride, offset, format,
                       storageDims, storageDims != nullptr ? storageDimsNum : 1, tensorDataAddr);
        return ACLNN_SUCCESS;
    });
}

aclnnStatus aclSetAclOpExecutorRepeatable(aclOpExecutor* executor) {
    return metaApi(__func__, [&]() -> aclnnStatus {
        aclOpExecutor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().executors, executor, "executor", found, ACLNN_ERR_INNER_NULLPTR));
        found->repeatable = true;
        return ACLNN_SUCCESS;
    });
}

aclnnStatus aclDestroyAclOpExecutor(aclOpExecutor* executor) {
    return metaApi(__func__, [&]() -> aclnnStatus {
        aclOpExecutor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().executors, executor, "executor", found, ACLNN_ERR_INNER_NULLPTR));
        pools().executors.destroy(found);
        return ACLNN_SUCCESS;
    });
}

aclnnStatus aclSetInputTensorAddr(aclOpExecutor* executor, const size_t, aclTensor* tensor, void* addr) {
    return setAddress(__func__, executor, tensor, addr);
}
aclnnStatus aclSetOutputTensorAddr(aclOpExecutor* executor, const size_t, aclTensor* tensor, void* addr) {
    return setAddress(__func__, executor, tensor, addr);
}
aclnnStatus aclSetTensorAddr(aclOpExecutor* executor, const size_t, aclTensor* tensor, void* addr) {
    return setAddress(__func__, executor, tensor, addr);
}
aclnnStatus aclSetDynamicInputTensorAddr(aclOpExecutor* executor, size_t, const size_t relativeIndex,
                                         aclTensorList* tensors, void* addr) {
    return setListAddress(__func__, executor, relativeIndex, tensors, addr);
}
aclnnStatus aclSetDynamicOutputTensorAddr(aclOpExecutor* executor, size_t, const size_t relativeIndex,
                                          aclTensorList* tensors, void* addr) {
    return setListAddress(__func__, executor, relativeIndex, tensors, addr);
}
aclnnStatus aclSetDynamicTensorAddr(aclOpExecutor* executor, size_t, const size_t relativeIndex, aclTensorList* tensors,
                                    void* addr) {
    return setListAddress(__func__, executor, relativeIndex, tensors, addr);
}

// The older spelling of the same six.
aclnnStatus AclSetInputTensorAddr(aclOpExecutor* executor, const size_t index, aclTensor* tensor, void* addr) {
    return aclSetInputTensorAddr(executor, index, tensor, addr);
}
aclnnStatus AclSetOutputTensorAddr(aclOpExecutor* executor, const size_t index, aclTensor* tensor, void* addr) {
    return aclSetOutputTensorAddr(executor, index, tensor, addr);
}
aclnnStatus AclSetTensorAddr(aclOpExecutor* executor, const size_t index, aclTensor* tensor, void* addr) {
    return aclSetTensorAddr(executor, index, tensor, addr);
}
aclnnStatus AclSetDynamicInputTensorAddr(aclOpExecutor* executor, size_t irIndex, const size_t relativeIndex,
                                         aclTensorList* tensors, void* addr) {
    return aclSetDynamicInputTensorAddr(executor, irIndex, relativeIndex, tensors, addr);
}
aclnnStatus AclSetDynamicOutputTensorAddr(aclOpExecutor* executor, size_t irIndex, const size_t relativeIndex,
                                          aclTensorList* tensors, void* addr) {
    return aclSetDynamicOutputTensorAddr(executor, irIndex, relativeIndex, tensors, addr);
}
aclnnStatus AclSetDynamicTensorAddr(aclOpExecutor* executor, size_t irIndex, const size_t relativeIndex,
                                    aclTensorList* tensors, void* addr) {
    return aclSetDynamicTensorAddr(executor, irIndex, relativeIndex, tensors, addr);
}

aclnnStatus aclSetRawTensorAddr(aclTensor* tensor, void* addr) {
    return metaApi(__func__, [&]() -> aclnnStatus {
        aclTensor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().tensors, tensor, "tensor", found));
        found->data = addr;
        return ACLNN_SUCCESS;
    });
}

aclnnStatus aclGetRawTensorAddr(const aclTensor* tensor, void** addr) {
    return metaApi(__func__, [&]() -> aclnnStatus {
        aclTensor* found = nullptr;
        ACLQ_RETURN_IF_FAILED(require(pools().tensors, tensor, "tensor", found));
        ACLQ_RETURN_IF_FAILED(requireOut(addr, "addr", ACLNN_ERR_PARAM_NULLPTR));
        *addr = found->data;
        return ACLNN_SUCCESS;
    });
}

// The operators are in this library, so nothing is loaded.
aclnnStatus aclnnInit(const char*) {
    return ACLNN_SUCCESS;
}
aclnnStatus aclnnFinalize(void) {
    return ACLNN_SUCCESS;
}
