// SPDX-License-Identifier: Apache-2.0
#include "books.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "meta/dtype.h"

namespace aclq::trace {
namespace {

__extension__ using Wide = __int128;

struct Books {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, Tensor> tensors;
    std::unordered_map<std::uint64_t, Scalar> scalars;
    std::unordered_map<std::uint64_t, Array> arrays;
    std::unordered_map<std::uint64_t, List> lists;
    std::unordered_map<std::uint64_t, std::shared_ptr<ExecutorEntry>> executors;
    struct Piece {
        std::uint64_t size;
        bool device;
    };
    std::map<std::uint64_t, Piece> memory;
};

Books& books() {
    static Books* const made = new Books;  // never destroyed: calls may come as late as they like
    return *made;
}

template <class T>
T* pointer(const Call& call, int position) {
    return reinterpret_cast<T*>(call.values[position]);
}

std::vector<std::int64_t> numbers(const Call& call, int position, std::uint64_t count) {
    const auto* const from = pointer<const std::int64_t>(call, position);
    return from == nullptr || count > 64 ? std::vector<std::int64_t>{} : std::vector<std::int64_t>(from, from + count);
}

// (viewDims, viewDimsNum, dataType, stride, offset, format, storageDims, storageDimsNum, tensorData), from `first` on.
Tensor described(const Call& call, int first) {
    Tensor tensor;
    const std::uint64_t count = call.values[first + 1];
    tensor.dims = numbers(call, first, count);
    tensor.dtype = static_cast<std::int32_t>(call.values[first + 2]);
    tensor.strides = numbers(call, first + 3, count);
    if (tensor.strides.empty() && !tensor.dims.empty()) {
        tensor.strides.assign(tensor.dims.size(), 1);
        for (std::size_t i = tensor.dims.size() - 1; i > 0; --i) {
            if (__builtin_mul_overflow(tensor.strides[i], tensor.dims[i], &tensor.strides[i - 1])) {
                break;
            }
        }
    }
    tensor.offset = static_cast<std::int64_t>(call.values[first + 4]);
    tensor.format = static_cast<std::int32_t>(call.values[first + 5]);
    tensor.storage = numbers(call, first + 6, call.values[first + 7]);
    tensor.data = call.values[first + 8];
    return tensor;
}

void madeTensor(Call& call) {
    if (call.result != 0) {
        const std::lock_guard lock(books().mutex);
        books().tensors[call.result] = described(call, 0);
    }
}

void changedTensor(Call& call) {
    if (call.failed()) {
        return;
    }
    Tensor now = described(call, 1);
    const std::lock_guard lock(books().mutex);
    Tensor& entry = books().tensors[call.values[0]];
    if (now.dims.empty()) {
        now.dims = entry.dims, now.strides = entry.strides;
    }
    if (now.storage.empty()) {
        now.storage = entry.storage;
    }
    if (now.data == 0) {
        now.data = entry.data;
    }
    entry = std::move(now);
}

void movedTensor(Call& call) {
    if (!call.failed()) {
        const std::lock_guard lock(books().mutex);
        const auto found = books().tensors.find(call.values[0]);
        if (found != books().tensors.end()) {
            found->second.data = call.values[1];
        }
    }
}

void madeScalar(Call& call) {
    if (call.result != 0) {
        Scalar scalar;
        scalar.dtype = static_cast<std::int32_t>(call.values[1]);
        const std::int64_t size = bitsOf(static_cast<aclDataType>(scalar.dtype)) / 8;
        if (size > 0 && size <= 16 && call.values[0] != 0) {
            std::memcpy(scalar.bytes, pointer<void>(call, 0), static_cast<std::size_t>(size));
        }
        const std::lock_guard lock(books().mutex);
        books().scalars[call.result] = scalar;
    }
}

template <class T, class V>
void madeArray(Call& call) {
    if (call.result != 0) {
        const T* const from = pointer<const T>(call, 0);
        Array array;
        array.values = from == nullptr ? std::vector<V>{} : std::vector<V>(from, from + call.values[1]);
        const std::lock_guard lock(books().mutex);
        books().arrays[call.result] = std::move(array);
    }
}

void madeList(Call& call) {
    if (call.result != 0) {
        const auto* const from = pointer<const std::uint64_t>(call, 0);
        List list;
        if (from != nullptr) {
            list.members.assign(from, from + call.values[1]);
        }
        const std::lock_guard lock(books().mutex);
        books().lists[call.result] = std::move(list);
    }
}

// Before the call: afterwards another thread may have got the same address for something new.
void dropObject(Call& call) {
    Books& all = books();
    const std::lock_guard lock(all.mutex);
    const std::uint64_t handle = call.values[0];
    const auto list = all.lists.find(handle);
    if (list != all.lists.end()) {
        for (const std::uint64_t member : list->second.members) {
            all.tensors.erase(member);
            all.scalars.erase(member);
        }
        all.lists.erase(list);
    }
    all.tensors.erase(handle);
    all.scalars.erase(handle);
    all.arrays.erase(handle);
    all.executors.erase(handle);
}

// Calls change(executor) with the books of the executor that a successful call has as its first argument.
template <class Change>
void changeExecutor(const Call& call, Change&& change) {
    if (!call.failed()) {
        const std::lock_guard lock(books().mutex);
        const auto found = books().executors.find(call.values[0]);
        if (found != books().executors.end()) {
            change(*found->second);
        }
    }
}

void madeRepeatable(Call& call) {
    changeExecutor(call, [](auto& executor) { executor.repeatable = true; });
}

// (executor, index, tensor, addr)
void setAddress(Call& call) {
    changeExecutor(call, [&](auto& executor) {
        for (Argument& argument : executor.arguments) {
            if (argument.bits == call.values[2]) {
                if (auto* const tensor = std::get_if<Tensor>(&argument.object)) {
                    tensor->data = call.values[3];
                }
            }
        }
    });
}

// (executor, irIndex, relativeIndex, tensors, addr)
void setMemberAddress(Call& call) {
    changeExecutor(call, [&](auto& executor) {
        for (Argument& argument : executor.arguments) {
            auto* const members = std::get_if<4>(&argument.object);
            if (argument.bits == call.values[3] && members != nullptr && call.values[2] < members->size() &&
                (*members)[call.values[2]].second) {
                (*members)[call.values[2]].second->data = call.values[4];
            }
        }
    });
}

template <bool kDevice>
void gotMemory(Call& call) {
    if (!call.failed() && call.values[0] != 0) {
        const std::uint64_t address = *pointer<std::uint64_t>(call, 0);
        const std::lock_guard lock(books().mutex);
        books().memory[address] = {call.values[1], kDevice};
    }
}

void gaveMemory(Call& call) {
    const std::lock_guard lock(books().mutex);
    books().memory.erase(call.values[0]);
}

void lentMemory(Call& call) {
    if (!call.failed()) {
        const std::lock_guard lock(books().mutex);
        books().memory[call.values[0]] = {call.values[1], false};
    }
}

void lentRanges(Call& call) {
    if (!call.failed()) {
        const auto* const ranges = pointer<const aclquantRange>(call, 0);
        const std::lock_guard lock(books().mutex);
        for (std::uint64_t i = 0; i < call.values[1]; ++i) {
            books().memory[reinterpret_cast<std::uint64_t>(ranges[i].ptr)] = {ranges[i].size, false};
        }
    }
}

template <class Map>
auto lookUp(Map& map, std::uint64_t handle) -> std::optional<typename Map::mapped_type> {
    const std::lock_guard lock(books().mutex);
    const auto found = map.find(handle);
    return found == map.end() ? std::nullopt : std::optional(found->second);
}

// Made before the tracer came: CANN itself can be asked. Its arrays come from new[].
std::optional<Tensor> askedTensor(std::uint64_t handle) {
    const auto shape = ACLQ_REAL(aclGetViewShape);
    const auto strides = ACLQ_REAL(aclGetViewStrides);
    const auto storage = ACLQ_REAL(aclGetStorageShape);
    const auto offset = ACLQ_REAL(aclGetViewOffset);
    const auto format = ACLQ_REAL(aclGetFormat);
    const auto dtype = ACLQ_REAL(aclGetDataType);
    const auto address = ACLQ_REAL(aclGetRawTensorAddr);
    if (!shape || !strides || !storage || !offset || !format || !dtype) {
        return std::nullopt;
    }
    const auto* const tensor = reinterpret_cast<const aclTensor*>(handle);
    Tensor found;
    aclDataType type{};
    aclFormat layout{};
    if (dtype(tensor, &type) != 0 || format(tensor, &layout) != 0 || offset(tensor, &found.offset) != 0) {
        return std::nullopt;
    }
    found.dtype = type, found.format = layout;
    for (const auto& [get, into] :
         {std::pair{shape, &found.dims}, {strides, &found.strides}, {storage, &found.storage}}) {
        std::int64_t* values = nullptr;
        std::uint64_t count = 0;
        if (get(tensor, &values, &count) != 0) {
            return std::nullopt;
        }
        into->assign(values, values + count);
        delete[] values;
    }
    void* data = nullptr;
    if (address != nullptr && address(tensor, &data) == 0) {
        found.data = reinterpret_cast<std::uint64_t>(data);
    }
    return found;
}

}  // namespace

std::optional<Hull> hullOf(const Tensor& tensor) {
    const std::int64_t bits = bitsOf(static_cast<aclDataType>(tensor.dtype));
    if (bits == 0 || (!tensor.dims.empty() && tensor.strides.size() != tensor.dims.size())) {
        return std::nullopt;
    }
    Wide low = tensor.offset, high = tensor.offset;
    bool empty = false;
    for (std::size_t i = 0; i < tensor.dims.size(); ++i) {
        empty |= tensor.dims[i] <= 0;
        const Wide reach = static_cast<Wide>(tensor.strides[i]) * (tensor.dims[i] - 1);
        (reach < 0 ? low : high) += reach;
    }
    if (isPrivate(static_cast<aclFormat>(tensor.format))) {
        // Blocked layouts fill their storage; strides of the view say nothing about it.
        low = 0, high = 1;
        for (const std::int64_t dim : tensor.storage) {
            high *= dim;
            if (high > (static_cast<Wide>(1) << 60)) {
                return std::nullopt;
            }
        }
        high -= 1;
    }
    if (empty) {
        return Hull{};
    }
    const Wide first = low * bits / 8, end = ((high + 1) * bits + 7) / 8;
    if (low < 0 || end > (static_cast<Wide>(1) << 60)) {
        return std::nullopt;
    }
    return Hull{static_cast<std::int64_t>(first), static_cast<std::int64_t>(end - first)};
}

std::optional<Tensor> tensorOf(std::uint64_t handle) {
    auto found = lookUp(books().tensors, handle);
    return found || handle == 0 ? found : askedTensor(handle);
}

std::optional<Scalar> scalarOf(std::uint64_t handle) {
    return lookUp(books().scalars, handle);
}
std::optional<Array> arrayOf(std::uint64_t handle) {
    return lookUp(books().arrays, handle);
}
std::optional<List> listOf(std::uint64_t handle) {
    return lookUp(books().lists, handle);
}

const char* placeOf(std::uint64_t address) {
    const std::lock_guard lock(books().mutex);
    const auto& memory = books().memory;
    auto next = memory.upper_bound(address);
    if (next == memory.begin()) {
        return "";
    }
    --next;
    return address - next->first < next->second.size ? (next->second.device ? "dev" : "host") : "";
}

std::vector<Argument> keepArguments(const Call& phaseOne) {
    std::vector<Argument> kept;
    for (int i = 0; i < phaseOne.function.count - 2; ++i) {
        Argument& argument = kept.emplace_back();
        argument.parameter = &phaseOne.function.parameters[i];
        const std::uint64_t bits = argument.bits = phaseOne.values[i];
        if (bits == 0) {
            continue;
        }
        switch (argument.parameter->kind) {
            case Kind::Tensor:
                if (auto found = tensorOf(bits)) {
                    argument.object = *std::move(found);
                }
                break;
            case Kind::Scalar:
                if (auto found = scalarOf(bits)) {
                    argument.object = *found;
                }
                break;
            case Kind::Array:
                if (auto found = arrayOf(bits)) {
                    argument.object = *std::move(found);
                }
                break;
            case Kind::TensorList:
                if (const auto found = listOf(bits)) {
                    std::vector<std::pair<std::uint64_t, std::optional<Tensor>>> members;
                    for (const std::uint64_t member : found->members) {
                        members.emplace_back(member, tensorOf(member));
                    }
                    argument.object = std::move(members);
                }
                break;
            case Kind::ScalarList:
                if (const auto found = listOf(bits)) {
                    std::vector<std::optional<Scalar>> members;
                    for (const std::uint64_t member : found->members) {
                        members.push_back(scalarOf(member));
                    }
                    argument.object = std::move(members);
                }
                break;
            case Kind::Text:
                argument.text = reinterpret_cast<const char*>(bits);
                break;
            default:
                break;
        }
    }
    return kept;
}

void addExecutor(std::uint64_t handle, std::shared_ptr<ExecutorEntry> entry) {
    const std::lock_guard lock(books().mutex);
    books().executors[handle] = std::move(entry);
}

std::shared_ptr<ExecutorEntry> executorOf(std::uint64_t handle) {
    const std::lock_guard lock(books().mutex);
    const auto found = books().executors.find(handle);
    return found == books().executors.end() ? nullptr : found->second;
}

void dropExecutor(std::uint64_t handle) {
    const std::lock_guard lock(books().mutex);
    books().executors.erase(handle);
}

void lockBooks() {
    books().mutex.lock();
}
void unlockBooks() {
    books().mutex.unlock();
}

void watchFunctions() {
    const std::pair<FunctionNumber, void (*)(Call&)> made[] = {
        {F_aclCreateTensor, madeTensor},
        {F_aclInitTensor, changedTensor},
        {F_aclSetRawTensorAddr, movedTensor},
        {F_aclCreateScalar, madeScalar},
        {F_aclCreateIntArray, madeArray<std::int64_t, std::int64_t>},
        {F_aclCreateFloatArray, madeArray<float, float>},
        {F_aclCreateBoolArray, madeArray<bool, bool>},
        {F_aclCreateTensorList, madeList},
        {F_aclCreateScalarList, madeList},
        {F_aclSetAclOpExecutorRepeatable, madeRepeatable},
        {F_aclquantHostRegister, lentMemory},
        {F_aclquantHostRegisterRanges, lentRanges},
    };
    for (const auto& [number, watcher] : made) {
        functions[number].after = watcher;
    }
    for (Function& function : functions) {
        const std::string_view name = function.name;
        if (name.starts_with("aclDestroy") && function.count == 1) {
            function.before = dropObject;
        } else if (name.ends_with("TensorAddr") && (name.starts_with("aclSet") || name.starts_with("AclSet"))) {
            if (function.count == 4) {
                function.after = setAddress;
            } else if (function.count == 5) {
                function.after = setMemberAddress;
            }
        } else if (name.starts_with("aclrtMalloc") && function.count >= 2 &&
                   function.parameters[0].kind == Kind::OutPointer) {
            function.after = name.starts_with("aclrtMallocHost") ? gotMemory<false> : gotMemory<true>;
        } else if (name.starts_with("aclrtFree") && function.parameters != nullptr &&
                   function.parameters[0].kind == Kind::Pointer) {
            function.before = gaveMemory;
        }
    }
}

}  // namespace aclq::trace
