// SPDX-License-Identifier: Apache-2.0
// One AI core as a kernel sees it: its local memory, its four pipes, its events and queues, and what is legal for them.
//
// Instructions are checked in program order, when the scalar unit issues them. Order among the pipes is known from what
// has been waited for (vector clocks): a race is found whatever the run's order happens to be. The data moves either at
// once or, with a schedule, when the pipe gets to it, in a random legal order.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "numbers.h"

namespace emu {

enum class Type { Int4, Int8, Uint8, Int16, Uint16, Int32, Uint32, Half, Bfloat16, Float, Int64, Uint64 };
int bitsOf(Type type);
const char* nameOf(Type type);

enum Pipe { kScalar, kVector, kLoad, kStore, kPipes, kAllPipes = kPipes };

// Where in the kernel's source.
struct Place {
    const char* file;
    int line;
};

struct Chip {
    const char* name;
    std::uint32_t localBytes;  // what a kernel may use of the unified buffer
    std::uint32_t cores;
    bool movesBytes;  // DataCopyPad; else copies are whole blocks of 32 bytes
    bool shifts;
    bool bfloat16;
    bool saturates;        // conversions to half know neither infinity nor NaN
    bool reducesToValues;  // ReduceOrder::ORDER_ONLY_VALUE
};
extern const Chip kChip;  // of the library that was compiled

// Operand of a vector instruction: typed bytes in local memory, with the handle's identity.
struct Local {
    Type type;
    std::uint32_t address;     // bytes from the start of local memory
    std::uint32_t elements;    // up to the end of the tensor
    int buffer;                // -1: none
    std::uint32_t generation;  // of the buffer, when the handle was made
};

// Which lanes an instruction touches.
struct Lanes {
    bool counted = true;
    std::uint32_t count = 0;              // counted: the number of leading elements
    std::array<std::uint64_t, 2> mask{};  // else: lanes of each repeat ...
    std::uint32_t repeats = 0;
    std::uint32_t block[3] = {1, 1, 1};  // ... and strides in blocks of 32 bytes: dst, src0, src1
    std::uint32_t repeat[3] = {8, 8, 8};
};

// Thrown at the first mistake of a block.
struct Mistake {
    int check;  // number in docs/ascend_kernels.md
    std::string text;
    Place place;
};

struct Region {  // global memory
    std::uint8_t* data;
    std::uint64_t bytes;
    bool writable;
    std::vector<std::uint8_t> defined;
    std::vector<std::uint32_t> written, loaded;  // sequence numbers of the last store and load in `writer`, `reader`
    std::vector<std::int32_t> writer, reader;    // block, -1: none; reader -2: several
};

struct Options {
    std::uint32_t order = 0;     // 0: blocks ascending, 1: descending, else the seed of a random order
    std::uint32_t schedule = 0;  // 0: instructions run when issued, else the seed of a random schedule
    std::uint8_t poison = 0xA5;  // what uninitialised memory holds
    bool nanWins = true;         // Max and Min with a NaN
    std::string skipFile{};  // the synchronisation calls of a line that are left out, to see whether that is noticed
    int skipLine = 0;
};

struct Statistics {
    std::uint64_t loaded = 0, stored = 0, vectors = 0, scalars = 0, localBytes = 0, copies = 0, elements = 0;
};

using Clock = std::array<std::uint32_t, kPipes>;
inline void join(Clock& into, const Clock& other) {
    for (int pipe = 0; pipe < kPipes; ++pipe) {
        into[pipe] = std::max(into[pipe], other[pipe]);
    }
}

enum class BufferState { Free, Occupied, Enqueued, Dequeued };

class Machine {
  public:
    static constexpr std::uint32_t kBlock = 32;
    static constexpr std::uint32_t kGuard = 64;     // bytes behind each region that must not change
    static constexpr std::uint32_t kOverread = 32;  // aclrtMalloc adds at least this many bytes to the requested size
    static constexpr int kEvents = 8;

    std::vector<Region> regions;
    Options options;
    Statistics statistics;
    std::uint32_t blockIndex = 0, blockCount = 1;
    std::uint64_t tilingKey = 0;
    std::array<std::uint8_t, 1024> tiling{};
    std::map<std::pair<std::string, int>, std::string> sites;  // synchronisation calls of this run

    void beginBlock(std::uint32_t index, std::uint32_t count);
    void endBlock();
    [[noreturn]] void fail(Place place, int check, const char* format, ...) __attribute__((format(printf, 4, 5)));

    // Buffers and queues.
    int addQueue(bool input, int depth);
    void addBuffers(Place place, int queue, std::uint32_t number, std::uint32_t bytes);
    int addScratch(Place place, std::uint32_t bytes);
    Local allocate(Place place, int queue, Type type);
    void enqueue(Place place, int queue, const Local& tensor);
    Local dequeue(Place place, int queue, Type type);
    void release(Place place, int queue, const Local& tensor);
    Local view(Place place, int scratch, Type type, std::int64_t elements);
    void pipeCreated(Place place);

    // Events and barriers.
    void setFlag(Place place, Pipe from, Pipe to, int id);
    void waitFlag(Place place, Pipe from, Pipe to, int id);
    int freeFlag(Place place, Pipe from, Pipe to);
    void barrier(Place place, Pipe pipe);

    // Instructions.
    struct Copy {  // bytes, from a place in one memory to a place in the other
        std::uint32_t blocks, length, globalStep, localStep, left = 0, right = 0;
        bool pads = false;
        bool exact = false;  // moves bytes (DataCopyPad), not blocks: nothing behind the end is touched
        std::uint64_t padding = 0;
        std::uint32_t width = 1;  // of an element
    };
    void load(Place place, const char* name, const Local& to, const std::uint8_t* from, std::uint64_t allowed,
              Copy copy);
    void store(Place place, const char* name, std::uint8_t* to, std::uint64_t allowed, const Local& from, Copy copy);
    std::uint8_t* element(Place place, const Local& tensor, std::uint32_t index, bool write);  // by the scalar unit

    struct Range {
        std::uint32_t address, bytes;
    };
    // Checks operands, lanes and hazards, then runs `work`.
    void vector(Place place, const char* name, const Local& to, std::vector<Range> writes, std::vector<Range> reads,
                std::function<void()> work);
    std::vector<Range> ranges(Place place, const char* name, const char* argument, const Local& operand,
                              const Lanes& lanes, int which, std::uint32_t widest);

    void readAll(Place place, const char* name, const Local& from);  // by the vector instruction issued last
    void spoil(Range range) { define(range, false); }                // its content means nothing from here on

    std::uint8_t* local(std::uint32_t address) { return memory_.data() + address; }
    void setDeqScale(Place place, float scale);
    float deqScale(Place place);  // of a Cast from int32_t to half that is about to be issued

  private:
    struct Access {  // of 32 bytes of local memory, or what a region remembers
        std::uint32_t writer = 0;
        int writerPipe = -1;
        const char* writerFile = nullptr;
        int writerLine = 0;
        Clock readers{};
    };
    struct Flag {
        bool set = false;  // in program order
        Clock clock{};
        int count = 0;  // in the order of the schedule
        Place place{};
        bool reserved = false;
    };
    struct Buffer {
        int queue;
        std::uint32_t address, bytes;
        BufferState state = BufferState::Free;
        std::uint32_t generation = 0;
        bool used = false;
        Flag data, free;
    };
    struct Queue {
        bool input;
        int depth;
        bool ready = false;
        std::vector<int> buffers;
        std::deque<int> filled;
        std::size_t next = 0;
    };
    struct Task {
        std::function<void()> work;
        Flag* sets = nullptr;
        Flag* waits = nullptr;
    };

    bool skips(Place place, const std::string& what);
    std::uint32_t issue(Pipe pipe);
    void push(Pipe pipe, Task task);
    bool step(Pipe pipe);
    void wander();
    void drain();
    void waitFor(Place place, Flag& flag);
    void raise(Flag& flag, Place place, Pipe from);
    void lower(Flag& flag, Place place, Pipe to);
    void check(Place place, const char* name, Pipe pipe, std::uint32_t number, Range range, bool write);
    void remember(Place place, Pipe pipe, std::uint32_t number, Range range, bool write);
    void checkHandle(Place place, const char* name, const Local& tensor);
    void requireDefined(Place place, const char* name, Range range);
    void define(Range range, bool defined);
    Region& region(Place place, const char* name, const std::uint8_t* from, std::uint64_t bytes, std::uint64_t over);
    int bufferOf(Place place, const char* name, int queue, const Local& tensor);

    std::vector<std::uint8_t> memory_, defined_;
    std::vector<Access> accesses_;
    std::array<Clock, kPipes> done_{};
    Clock issued_{};
    std::array<std::array<std::array<Flag, kEvents>, kPipes>, kPipes> flags_{};
    std::deque<Buffer> buffers_;
    std::vector<Queue> queues_;
    std::array<std::deque<Task>, kPipes> tasks_;
    std::mt19937 random_;
    std::uint32_t top_ = 0;
    std::optional<float> deqScale_;
    std::uint32_t deqIssued_ = 0;
    bool hasPipe_ = false;
    Place last_{"?", 0};
};

Machine& machine();

}  // namespace emu
