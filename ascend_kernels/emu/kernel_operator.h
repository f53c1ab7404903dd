// SPDX-License-Identifier: Apache-2.0
// The part of the Ascend C API that the kernels use, for a machine without the toolkit. What is not here does not
// compile: the kernels keep to what is known of both chip families.
#pragma once

#include <cstdint>
#include <type_traits>

#include "instructions.h"
#include "machine.h"

#define __aicore__
#define __global__
#define __gm__
#define GM_ADDR std::uint8_t*
#define KERNEL_TASK_TYPE_DEFAULT(type)
#define TILING_KEY_IS(key) (emu::machine().tilingKey == (key))
#define REGISTER_TILING_DEFAULT(Type) using EmulatedTiling = Type
#define GET_TILING_DATA(name, tiling) \
    EmulatedTiling name;              \
    std::memcpy(&name, tiling, sizeof name)

// Where an API function was called.
#define EMU_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define EMU_PLACE (emu::Place{file, line})

namespace AscendC {

enum class TPosition { VECIN, VECOUT, VECCALC };
using QuePosition = TPosition;
enum class HardEvent { MTE2_V, V_MTE2, MTE3_V, V_MTE3, MTE2_MTE3, MTE3_MTE2, S_V, V_S, S_MTE2, MTE2_S, S_MTE3, MTE3_S };
enum class RoundMode { CAST_NONE = 0, CAST_RINT, CAST_FLOOR, CAST_CEIL, CAST_ROUND, CAST_TRUNC, CAST_ODD };
using TEventID = std::int8_t;
using emu::Pipe;
constexpr Pipe PIPE_S = emu::kScalar, PIPE_V = emu::kVector, PIPE_MTE2 = emu::kLoad, PIPE_MTE3 = emu::kStore,
               PIPE_ALL = emu::kAllPipes;

namespace detail {

template <class T>
struct TypeOf;
#define EMU_TYPE(type, name)                                \
    template <>                                             \
    struct TypeOf<type> {                                   \
        static constexpr emu::Type value = emu::Type::name; \
    }
EMU_TYPE(int4b_t, Int4);
EMU_TYPE(std::int8_t, Int8);
EMU_TYPE(std::uint8_t, Uint8);
EMU_TYPE(std::int16_t, Int16);
EMU_TYPE(std::uint16_t, Uint16);
EMU_TYPE(std::int32_t, Int32);
EMU_TYPE(std::uint32_t, Uint32);
EMU_TYPE(half, Half);
EMU_TYPE(bfloat16_t, Bfloat16);
EMU_TYPE(float, Float);
EMU_TYPE(std::int64_t, Int64);
EMU_TYPE(std::uint64_t, Uint64);
#undef EMU_TYPE

constexpr Pipe kFrom[] = {PIPE_MTE2, PIPE_V, PIPE_MTE3, PIPE_V,    PIPE_MTE2, PIPE_MTE3,
                          PIPE_S,    PIPE_V, PIPE_S,    PIPE_MTE2, PIPE_S,    PIPE_MTE3};
constexpr Pipe kTo[] = {PIPE_V, PIPE_MTE2, PIPE_V,    PIPE_MTE3, PIPE_MTE3, PIPE_MTE2,
                        PIPE_V, PIPE_S,    PIPE_MTE2, PIPE_S,    PIPE_MTE3, PIPE_S};

template <class T>
emu::Scalar scalar(T value) {
    emu::Scalar result{TypeOf<T>::value, 0};
    std::memcpy(&result.bits, &value, sizeof value);
    return result;
}

inline emu::Lanes counted(std::int64_t count) {
    emu::Lanes lanes;
    lanes.count = static_cast<std::uint32_t>(count);
    return lanes;
}

}  // namespace detail

inline std::int64_t GetBlockIdx() {
    return emu::machine().blockIndex;
}
inline std::int64_t GetBlockNum() {
    return emu::machine().blockCount;
}

// ---- Tensors ----

template <class T>
class GlobalTensor {
  public:
    void SetGlobalBuffer(T* pointer, std::uint64_t elements = 0) {
        address = reinterpret_cast<std::uint8_t*>(pointer);
        bytes = elements * bits() / 8;
    }
    GlobalTensor operator[](std::uint64_t offset) const {
        GlobalTensor moved = *this;
        moved.address += offset * bits() / 8;
        moved.bytes -= bytes == 0 ? 0 : std::min(bytes - 1, offset * bits() / 8);
        return moved;
    }

    std::uint8_t* address = nullptr;
    std::uint64_t bytes = 0;  // 0: not known

  private:
    static constexpr std::uint64_t bits() { return std::is_same_v<T, int4b_t> ? 4 : 8 * sizeof(T); }
};

template <class T>
class LocalTensor {
  public:
    LocalTensor() : handle{detail::TypeOf<T>::value, 0, 0, -1, 0} {}
    explicit LocalTensor(const emu::Local& local) : handle(local) {}
    LocalTensor operator[](std::uint32_t offset) const {
        LocalTensor moved = *this;
        moved.handle.address += offset * static_cast<std::uint32_t>(emu::bitsOf(handle.type)) / 8;
        moved.handle.elements -= std::min(offset, handle.elements);
        return moved;
    }
    T GetValue(std::uint32_t index, EMU_HERE) const {
        T value;
        std::memcpy(&value, emu::machine().element(EMU_PLACE, handle, index, false), sizeof value);
        return value;
    }
    void SetValue(std::uint32_t index, T value, EMU_HERE) const {
        std::memcpy(emu::machine().element(EMU_PLACE, handle, index, true), &value, sizeof value);
    }
    template <class U>
    LocalTensor<U> ReinterpretCast() const {
        emu::Local other = handle;
        other.type = detail::TypeOf<U>::value;
        other.elements = static_cast<std::uint32_t>(static_cast<std::uint64_t>(handle.elements) *
                                                    emu::bitsOf(handle.type) / emu::bitsOf(other.type));
        return LocalTensor<U>(other);
    }
    std::uint32_t GetSize() const { return handle.elements; }

    emu::Local handle;
};

// ---- Buffers and queues ----

template <TPosition position, int depth>
class TQue {
  public:
    template <class T>
    LocalTensor<T> AllocTensor(EMU_HERE) {
        return LocalTensor<T>(emu::machine().allocate(EMU_PLACE, number(), detail::TypeOf<T>::value));
    }
    template <class T>
    bool EnQue(const LocalTensor<T>& tensor, EMU_HERE) {
        emu::machine().enqueue(EMU_PLACE, number(), tensor.handle);
        return true;
    }
    template <class T>
    LocalTensor<T> DeQue(EMU_HERE) {
        return LocalTensor<T>(emu::machine().dequeue(EMU_PLACE, number(), detail::TypeOf<T>::value));
    }
    template <class T>
    void FreeTensor(LocalTensor<T>& tensor, EMU_HERE) {
        emu::machine().release(EMU_PLACE, number(), tensor.handle);
    }
    int number() {
        static_assert(position != TPosition::VECCALC, "VECCALC is for TBuf");
        return queue_ >= 0 ? queue_ : queue_ = emu::machine().addQueue(position == TPosition::VECIN, depth);
    }

  private:
    int queue_ = -1;
};

template <TPosition position>
class TBuf {
  public:
    template <class T>
    LocalTensor<T> Get(EMU_HERE) {
        return LocalTensor<T>(emu::machine().view(EMU_PLACE, scratch, detail::TypeOf<T>::value, -1));
    }
    template <class T>
    LocalTensor<T> Get(std::uint32_t elements, EMU_HERE) {
        return LocalTensor<T>(emu::machine().view(EMU_PLACE, scratch, detail::TypeOf<T>::value, elements));
    }
    int scratch = -1;
};

class TPipe {
  public:
    explicit TPipe(EMU_HERE) { emu::machine().pipeCreated(EMU_PLACE); }
    template <TPosition position, int depth>
    bool InitBuffer(TQue<position, depth>& queue, std::uint8_t number, std::uint32_t bytes, EMU_HERE) {
        emu::machine().addBuffers(EMU_PLACE, queue.number(), number, bytes);
        return true;
    }
    template <TPosition position>
    bool InitBuffer(TBuf<position>& buffer, std::uint32_t bytes, EMU_HERE) {
        buffer.scratch = emu::machine().addScratch(EMU_PLACE, bytes);
        return true;
    }
    template <HardEvent event>
    int FetchEventID(EMU_HERE) {
        return FetchEventID(event, file, line);
    }
    int FetchEventID(HardEvent event, EMU_HERE) {
        return emu::machine().freeFlag(EMU_PLACE, detail::kFrom[static_cast<int>(event)],
                                       detail::kTo[static_cast<int>(event)]);
    }
};

// ---- Synchronisation ----

template <HardEvent event>
void SetFlag(int id, EMU_HERE) {
    emu::machine().setFlag(EMU_PLACE, detail::kFrom[static_cast<int>(event)], detail::kTo[static_cast<int>(event)], id);
}
template <HardEvent event>
void WaitFlag(int id, EMU_HERE) {
    emu::machine().waitFlag(EMU_PLACE, detail::kFrom[static_cast<int>(event)], detail::kTo[static_cast<int>(event)],
                            id);
}
template <Pipe pipe>
void PipeBarrier(EMU_HERE) {
    emu::machine().barrier(EMU_PLACE, pipe);
}

// ---- Copies ----

struct DataCopyParams {
    std::uint16_t blockCount = 1, blockLen = 0, srcStride = 0, dstStride = 0;
};
struct DataCopyExtParams {
    std::uint16_t blockCount = 1;
    std::uint32_t blockLen = 0, srcStride = 0, dstStride = 0, rsv = 0;
};
template <class T>
struct DataCopyPadExtParams {
    bool isPad = false;
    std::uint8_t leftPadding = 0, rightPadding = 0;
    T paddingValue{};
};

namespace detail {

inline void checkBlocks(emu::Place place, const char* name, std::uint32_t blocks) {
    if (blocks > 4095) {
        emu::machine().fail(place, 14, "%s: blockCount %u, at most 4095", name, blocks);
    }
}
inline void requirePad(emu::Place place) {
    if (!emu::kChip.movesBytes) {
        emu::machine().fail(place, 14, "DataCopyPad does not exist on %s", emu::kChip.name);
    }
}
inline void checkLength(emu::Place place, std::uint32_t length, std::uint32_t width) {
    if (length == 0 || length > 2097151 || length % width != 0) {
        emu::machine().fail(place, 14, "DataCopyPad: blockLen %u; 1 to 2097151, a multiple of %u", length, width);
    }
}
template <class T>
void checkCount(emu::Place place, std::uint32_t count) {
    if (count == 0 || count * static_cast<std::uint64_t>(emu::bitsOf(TypeOf<T>::value)) % 256 != 0) {
        emu::machine().fail(
            place, 14, "DataCopy of %u elements: not whole blocks of 32 bytes, the rest would not be copied", count);
    }
}
template <class T>
emu::Machine::Copy whole(std::uint32_t blocks, std::uint32_t length, std::uint32_t globalStep,
                         std::uint32_t localStep) {
    emu::Machine::Copy copy{blocks, length * 32, globalStep * 32, localStep * 32};
    copy.width = sizeof(T);
    return copy;
}

}  // namespace detail

template <class T>
void DataCopy(const LocalTensor<T>& to, const GlobalTensor<T>& from, const DataCopyParams& p, EMU_HERE) {
    detail::checkBlocks(EMU_PLACE, "DataCopy", p.blockCount);
    emu::machine().load(EMU_PLACE, "DataCopy", to.handle, from.address, from.bytes,
                        detail::whole<T>(p.blockCount, p.blockLen, p.srcStride, p.dstStride));
}
template <class T>
void DataCopy(const LocalTensor<T>& to, const GlobalTensor<T>& from, std::uint32_t count, EMU_HERE) {
    detail::checkCount<T>(EMU_PLACE, count);
    emu::machine().load(
        EMU_PLACE, "DataCopy", to.handle, from.address, from.bytes,
        detail::whole<T>(1, count * static_cast<std::uint32_t>(emu::bitsOf(detail::TypeOf<T>::value)) / 256, 0, 0));
}
template <class T>
void DataCopy(const GlobalTensor<T>& to, const LocalTensor<T>& from, const DataCopyParams& p, EMU_HERE) {
    detail::checkBlocks(EMU_PLACE, "DataCopy", p.blockCount);
    emu::machine().store(EMU_PLACE, "DataCopy", to.address, to.bytes, from.handle,
                         detail::whole<T>(p.blockCount, p.blockLen, p.dstStride, p.srcStride));
}
template <class T>
void DataCopy(const GlobalTensor<T>& to, const LocalTensor<T>& from, std::uint32_t count, EMU_HERE) {
    detail::checkCount<T>(EMU_PLACE, count);
    emu::machine().store(
        EMU_PLACE, "DataCopy", to.address, to.bytes, from.handle,
        detail::whole<T>(1, count * static_cast<std::uint32_t>(emu::bitsOf(detail::TypeOf<T>::value)) / 256, 0, 0));
}
template <class T>
void DataCopyPad(const LocalTensor<T>& to, const GlobalTensor<T>& from, const DataCopyExtParams& p,
                 const DataCopyPadExtParams<T>& pad, EMU_HERE) {
    detail::requirePad(EMU_PLACE);
    detail::checkBlocks(EMU_PLACE, "DataCopyPad", p.blockCount);
    detail::checkLength(EMU_PLACE, p.blockLen, sizeof(T));
    if (pad.leftPadding * sizeof(T) > 32 || pad.rightPadding * sizeof(T) > 32) {
        emu::machine().fail(EMU_PLACE, 14, "DataCopyPad: more than 32 bytes of padding");
    }
    emu::Machine::Copy copy{p.blockCount, p.blockLen, p.srcStride, p.dstStride * 32};
    copy.left = pad.leftPadding * sizeof(T);
    copy.right = pad.rightPadding * sizeof(T);
    copy.pads = pad.isPad;
    std::memcpy(&copy.padding, &pad.paddingValue, sizeof(T));
    copy.width = sizeof(T);
    copy.exact = true;
    emu::machine().load(EMU_PLACE, "DataCopyPad", to.handle, from.address, from.bytes, copy);
}
template <class T>
void DataCopyPad(const GlobalTensor<T>& to, const LocalTensor<T>& from, const DataCopyExtParams& p, EMU_HERE) {
    detail::requirePad(EMU_PLACE);
    detail::checkBlocks(EMU_PLACE, "DataCopyPad", p.blockCount);
    detail::checkLength(EMU_PLACE, p.blockLen, sizeof(T));
    emu::Machine::Copy copy{p.blockCount, p.blockLen, p.dstStride, p.srcStride * 32};
    copy.width = sizeof(T);
    copy.exact = true;
    emu::machine().store(EMU_PLACE, "DataCopyPad", to.address, to.bytes, from.handle, copy);
}

// ---- Vector instructions ----

struct BinaryRepeatParams {
    std::uint8_t dstBlkStride = 1, src0BlkStride = 1, src1BlkStride = 1;
    std::uint8_t dstRepStride = 8, src0RepStride = 8, src1RepStride = 8;
};

namespace detail {

inline emu::Lanes masked(std::uint64_t low, std::uint64_t high, std::uint8_t repeats, const BinaryRepeatParams& p) {
    emu::Lanes lanes;
    lanes.counted = false;
    lanes.mask = {low, high};
    lanes.repeats = repeats;
    lanes.block[0] = p.dstBlkStride;
    lanes.block[1] = p.src0BlkStride;
    lanes.block[2] = p.src1BlkStride;
    lanes.repeat[0] = p.dstRepStride;
    lanes.repeat[1] = p.src0RepStride;
    lanes.repeat[2] = p.src1RepStride;
    return lanes;
}
template <class T>
emu::Lanes first(emu::Place place, std::uint64_t mask, std::uint8_t repeats, const BinaryRepeatParams& p) {
    if (mask == 0 || mask > 256 / sizeof(T)) {
        emu::machine().fail(place, 15, "a mask of %llu elements; 1 to %zu", static_cast<unsigned long long>(mask),
                            256 / sizeof(T));
    }
    const auto ones = [](std::uint64_t n) { return n >= 64 ? ~0ULL : (1ULL << n) - 1; };
    return masked(ones(mask), mask > 64 ? ones(mask - 64) : 0, repeats, p);
}

}  // namespace detail

#define EMU_BINARY(Name)                                                                                        \
    template <class T>                                                                                          \
    void Name(const LocalTensor<T>& to, const LocalTensor<T>& a, const LocalTensor<T>& b, std::int32_t count,   \
              EMU_HERE) {                                                                                       \
        emu::binary(EMU_PLACE, emu::Binary::Name, to.handle, a.handle, b.handle, detail::counted(count));       \
    }                                                                                                           \
    template <class T>                                                                                          \
    void Name(const LocalTensor<T>& to, const LocalTensor<T>& a, const LocalTensor<T>& b, std::uint64_t mask,   \
              std::uint8_t repeats, const BinaryRepeatParams& p, EMU_HERE) {                                    \
        emu::binary(EMU_PLACE, emu::Binary::Name, to.handle, a.handle, b.handle,                                \
                    detail::first<T>(EMU_PLACE, mask, repeats, p));                                             \
    }                                                                                                           \
    template <class T>                                                                                          \
    void Name(const LocalTensor<T>& to, const LocalTensor<T>& a, const LocalTensor<T>& b, std::uint64_t mask[], \
              std::uint8_t repeats, const BinaryRepeatParams& p, EMU_HERE) {                                    \
        emu::binary(EMU_PLACE, emu::Binary::Name, to.handle, a.handle, b.handle,                                \
                    detail::masked(mask[0], mask[1], repeats, p));                                              \
    }
EMU_BINARY(Add)
EMU_BINARY(Sub)
EMU_BINARY(Mul)
EMU_BINARY(Div)
EMU_BINARY(Max)
EMU_BINARY(Min)
EMU_BINARY(And)
EMU_BINARY(Or)
#undef EMU_BINARY

#define EMU_SCALAR(Name, Operation)                                                                       \
    template <class T>                                                                                    \
    void Name(const LocalTensor<T>& to, const LocalTensor<T>& a, T value, std::int32_t count, EMU_HERE) { \
        emu::withScalar(EMU_PLACE, emu::Binary::Operation, to.handle, a.handle, detail::scalar(value),    \
                        detail::counted(count));                                                          \
    }
EMU_SCALAR(Adds, Add)
EMU_SCALAR(Muls, Mul)
EMU_SCALAR(Maxs, Max)
EMU_SCALAR(Mins, Min)
#undef EMU_SCALAR

template <class T>
void Abs(const LocalTensor<T>& to, const LocalTensor<T>& a, std::int32_t count, EMU_HERE) {
    emu::unary(EMU_PLACE, emu::Unary::Abs, to.handle, a.handle, detail::counted(count));
}
template <class T>
void Duplicate(const LocalTensor<T>& to, T value, std::int32_t count, EMU_HERE) {
    emu::duplicate(EMU_PLACE, to.handle, detail::scalar(value), detail::counted(count));
}
template <class T>
void ShiftLeft(const LocalTensor<T>& to, const LocalTensor<T>& a, T by, std::int32_t count, EMU_HERE) {
    emu::shift(EMU_PLACE, true, to.handle, a.handle, by, detail::counted(count));
}
template <class T>
void ShiftRight(const LocalTensor<T>& to, const LocalTensor<T>& a, T by, std::int32_t count, EMU_HERE) {
    emu::shift(EMU_PLACE, false, to.handle, a.handle, by, detail::counted(count));
}
template <class D, class S>
void Cast(const LocalTensor<D>& to, const LocalTensor<S>& from, RoundMode mode, std::uint32_t count, EMU_HERE) {
    emu::cast(EMU_PLACE, to.handle, from.handle, static_cast<emu::Rounding>(mode), count);
}
inline void SetDeqScale(half scale, EMU_HERE) {
    emu::setDeqScale(EMU_PLACE, static_cast<float>(scale));
}
template <class T>
void Gather(const LocalTensor<T>& to, const LocalTensor<T>& from, const LocalTensor<std::uint32_t>& offsets,
            std::uint32_t base, std::uint32_t count, EMU_HERE) {
    emu::gather(EMU_PLACE, to.handle, from.handle, offsets.handle, base, count);
}
template <class T>
void BlockReduceMax(const LocalTensor<T>& to, const LocalTensor<T>& from, std::int32_t repeats, std::int32_t mask,
                    std::int32_t dstRepStride, std::int32_t srcBlkStride, std::int32_t srcRepStride, EMU_HERE) {
    emu::blockReduce(EMU_PLACE, true, to.handle, from.handle, static_cast<std::uint32_t>(repeats),
                     static_cast<std::uint32_t>(mask), static_cast<std::uint32_t>(dstRepStride),
                     static_cast<std::uint32_t>(srcBlkStride), static_cast<std::uint32_t>(srcRepStride));
}
template <class T>
void BlockReduceMin(const LocalTensor<T>& to, const LocalTensor<T>& from, std::int32_t repeats, std::int32_t mask,
                    std::int32_t dstRepStride, std::int32_t srcBlkStride, std::int32_t srcRepStride, EMU_HERE) {
    emu::blockReduce(EMU_PLACE, false, to.handle, from.handle, static_cast<std::uint32_t>(repeats),
                     static_cast<std::uint32_t>(mask), static_cast<std::uint32_t>(dstRepStride),
                     static_cast<std::uint32_t>(srcBlkStride), static_cast<std::uint32_t>(srcRepStride));
}
template <class T>
void ReduceMax(const LocalTensor<T>& to, const LocalTensor<T>& from, const LocalTensor<T>& work, std::int32_t count,
               EMU_HERE) {
    emu::reduce(EMU_PLACE, true, to.handle, from.handle, work.handle, static_cast<std::uint32_t>(count));
}
template <class T>
void ReduceMin(const LocalTensor<T>& to, const LocalTensor<T>& from, const LocalTensor<T>& work, std::int32_t count,
               EMU_HERE) {
    emu::reduce(EMU_PLACE, false, to.handle, from.handle, work.handle, static_cast<std::uint32_t>(count));
}

}  // namespace AscendC
