// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace emu {

namespace {

constexpr const char* kPipeNames[] = {"S", "V", "MTE2", "MTE3"};

std::uint32_t roundUp(std::uint32_t value, std::uint32_t unit) {
    return (value + unit - 1) / unit * unit;
}

const char* baseName(const char* path) {
    const char* slash = std::strrchr(path, '/');
    return slash != nullptr ? slash + 1 : path;
}

}  // namespace

int bitsOf(Type type) {
    constexpr int kBits[] = {4, 8, 8, 16, 16, 32, 32, 16, 16, 32, 64, 64};
    return kBits[static_cast<int>(type)];
}

const char* nameOf(Type type) {
    constexpr const char* kNames[] = {"int4b_t",  "int8_t", "uint8_t",    "int16_t", "uint16_t", "int32_t",
                                      "uint32_t", "half",   "bfloat16_t", "float",   "int64_t",  "uint64_t"};
    return kNames[static_cast<int>(type)];
}

Machine& machine() {
    static Machine instance;
    return instance;
}

void Machine::fail(Place place, int check, const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    throw Mistake{check, text, place};
}

void Machine::beginBlock(std::uint32_t index, std::uint32_t count) {
    blockIndex = index;
    blockCount = count;
    memory_.assign(kChip.localBytes, options.poison);
    defined_.assign(kChip.localBytes, 0);
    accesses_.assign(kChip.localBytes / kBlock, {});
    done_ = {};
    issued_ = {};
    flags_ = {};
    buffers_.clear();
    queues_.clear();
    for (auto& tasks : tasks_) {
        tasks.clear();
    }
    random_.seed(options.schedule * 7919 + index);
    top_ = 0;
    hasPipe_ = false;
    deqScale_.reset();
}

void Machine::endBlock() {
    drain();
    for (int from = 0; from < kPipes; ++from) {
        for (int to = 0; to < kPipes; ++to) {
            for (int id = 0; id < kEvents; ++id) {
                const Flag& flag = flags_[from][to][id];
                if (flag.set) {
                    fail(flag.place, 11, "flag %s_%s %d is still set at the end: the next operator would meet it",
                         kPipeNames[from], kPipeNames[to], id);
                }
            }
        }
    }
    for (const Buffer& buffer : buffers_) {
        if (buffer.queue >= 0 && buffer.state != BufferState::Free) {
            fail(last_, 2, "a tensor of queue %d is not freed at the end%s", buffer.queue,
                 buffer.state == BufferState::Enqueued ? ", and still enqueued" : "");
        }
    }
}

// ---- The schedule ----

std::uint32_t Machine::issue(Pipe pipe) {
    if (pipe != kScalar) {
        join(done_[pipe], done_[kScalar]);  // the scalar unit has waited before it issues
    }
    return ++issued_[pipe];
}

void Machine::push(Pipe pipe, Task task) {
    if (options.schedule == 0) {
        if (task.work) {
            task.work();
        }
        return;
    }
    tasks_[pipe].push_back(std::move(task));
    wander();
}

bool Machine::step(Pipe pipe) {
    auto& tasks = tasks_[pipe];
    if (tasks.empty() || (tasks.front().waits != nullptr && tasks.front().waits->count == 0)) {
        return false;
    }
    Task task = std::move(tasks.front());
    tasks.pop_front();
    if (task.waits != nullptr) {
        --task.waits->count;
    }
    if (task.work) {
        task.work();
    }
    if (task.sets != nullptr) {
        ++task.sets->count;
    }
    return true;
}

// The pipes do a random part of what they have.
void Machine::wander() {
    for (std::uint32_t steps = random_() % 4; steps > 0; --steps) {
        step(static_cast<Pipe>(1 + random_() % 3));
    }
}

void Machine::drain() {
    while (step(kVector) || step(kLoad) || step(kStore)) {
    }
}

void Machine::waitFor(Place place, Flag& flag) {
    if (options.schedule == 0) {
        return;
    }
    while (flag.count == 0) {
        const auto first = static_cast<int>(random_() % 3);
        bool moved = false;
        for (int i = 0; i < 3 && !moved; ++i) {
            moved = step(static_cast<Pipe>(1 + (first + i) % 3));
        }
        if (!moved) {
            fail(place, 11, "the pipes wait for each other");
        }
    }
    --flag.count;
}

// ---- Events ----

bool Machine::skips(Place place, const std::string& what) {
    const std::string file = baseName(place.file);
    sites.try_emplace({file, place.line}, what);
    return place.line == options.skipLine && file == options.skipFile;
}

void Machine::raise(Flag& flag, Place place, Pipe from) {
    if (from != kScalar) {
        join(done_[from], done_[kScalar]);
    }
    flag.set = true;
    flag.place = place;
    flag.clock = done_[from];
    flag.clock[from] = issued_[from];
    if (from == kScalar) {
        ++flag.count;
    } else {
        push(from, {nullptr, &flag, nullptr});
    }
}

void Machine::lower(Flag& flag, Place place, Pipe to) {
    flag.set = false;
    if (to == kScalar) {
        waitFor(place, flag);
    } else {
        join(done_[to], done_[kScalar]);
        push(to, {nullptr, nullptr, &flag});
    }
    join(done_[to], flag.clock);
}

void Machine::setFlag(Place place, Pipe from, Pipe to, int id) {
    last_ = place;
    if (skips(place, std::string(kPipeNames[from]) + "_" + kPipeNames[to])) {
        return;
    }
    if (id < 0 || id >= kEvents) {
        fail(place, 11, "event id %d; there are 0 to %d", id, kEvents - 1);
    }
    Flag& flag = flags_[from][to][id];
    if (flag.set) {
        fail(place, 11, "SetFlag %s_%s %d while it is set, since %s:%d", kPipeNames[from], kPipeNames[to], id,
             baseName(flag.place.file), flag.place.line);
    }
    raise(flag, place, from);
}

void Machine::waitFlag(Place place, Pipe from, Pipe to, int id) {
    last_ = place;
    if (skips(place, std::string(kPipeNames[from]) + "_" + kPipeNames[to])) {
        return;
    }
    if (id < 0 || id >= kEvents || !flags_[from][to][id].set) {
        fail(place, 11, "WaitFlag %s_%s %d, which nothing has set: the core would hang", kPipeNames[from],
             kPipeNames[to], id);
    }
    lower(flags_[from][to][id], place, to);
}

int Machine::freeFlag(Place place, Pipe from, Pipe to) {
    for (int id = 0; id < kEvents; ++id) {
        if (!flags_[from][to][id].set) {
            return id;
        }
    }
    fail(place, 11, "all events %s_%s are in use", kPipeNames[from], kPipeNames[to]);
}

void Machine::barrier(Place place, Pipe pipe) {
    last_ = place;
    if (skips(place, std::string("PipeBarrier ") + (pipe == kAllPipes ? "ALL" : kPipeNames[pipe]))) {
        return;
    }
    if (pipe == kScalar) {
        fail(place, 18, "PipeBarrier<PIPE_S> does not exist");
    }
    if (pipe == kAllPipes) {
        drain();
        for (auto& clock : done_) {
            clock = issued_;
        }
        return;
    }
    done_[pipe][pipe] = issued_[pipe];
}

// ---- Buffers and queues ----

void Machine::pipeCreated(Place place) {
    if (hasPipe_) {
        fail(place, 1, "a second TPipe");
    }
    hasPipe_ = true;
}

int Machine::addQueue(bool input, int depth) {
    queues_.push_back({input, depth, false, {}, {}, 0});
    return static_cast<int>(queues_.size()) - 1;
}

int Machine::addScratch(Place place, std::uint32_t bytes) {
    last_ = place;
    bytes = roundUp(bytes, kBlock);
    if (bytes == 0 || buffers_.size() >= 64) {
        fail(place, 1, bytes == 0 ? "a buffer of 0 bytes" : "more than 64 buffers");
    }
    if (top_ + bytes > kChip.localBytes) {
        fail(place, 1, "local memory: %u bytes more after %u of %u (%s)", bytes, top_, kChip.localBytes, kChip.name);
    }
    buffers_.push_back({-1, top_, bytes, BufferState::Occupied, 0, true, {}, {}});
    top_ += bytes;
    return static_cast<int>(buffers_.size()) - 1;
}

void Machine::addBuffers(Place place, int queue, std::uint32_t number, std::uint32_t bytes) {
    if (number == 0) {
        fail(place, 1, "a queue of 0 buffers");
    }
    for (std::uint32_t i = 0; i < number; ++i) {
        const int index = addScratch(place, bytes);
        buffers_[index].queue = queue;
        buffers_[index].state = BufferState::Free;
        buffers_[index].used = false;
        queues_[queue].buffers.push_back(index);
    }
    queues_[queue].ready = true;
}

Local Machine::allocate(Place place, int index, Type type) {
    last_ = place;
    Queue& queue = queues_[index];
    if (!queue.ready) {
        fail(place, 2, "AllocTensor before InitBuffer");
    }
    int taken = 0;
    for (const Buffer& buffer : buffers_) {
        taken += buffer.queue >= 0 && queues_[buffer.queue].input == queue.input && buffer.state != BufferState::Free;
    }
    if (taken >= kEvents) {
        fail(place, 2, "a ninth tensor at one position: each needs an event");
    }
    for (std::size_t i = 0; i < queue.buffers.size(); ++i) {
        const std::size_t at = (queue.next + i) % queue.buffers.size();
        Buffer& buffer = buffers_[queue.buffers[at]];
        if (buffer.state != BufferState::Free) {
            continue;
        }
        queue.next = at + 1;
        const Pipe producer = queue.input ? kLoad : kVector;
        if (buffer.used) {
            lower(buffer.free, place, producer);
        }
        buffer.used = true;
        buffer.state = BufferState::Occupied;
        define({buffer.address, buffer.bytes}, false);
        const std::uint32_t address = buffer.address, bytes = buffer.bytes;
        push(producer, {[=, this] { std::memset(local(address), options.poison, bytes); }, nullptr, nullptr});
        return {type, buffer.address, buffer.bytes * 8 / bitsOf(type), queue.buffers[at], buffer.generation};
    }
    fail(place, 2, "AllocTensor while none of the queue's %zu buffers is free", queue.buffers.size());
}

int Machine::bufferOf(Place place, const char* name, int queue, const Local& tensor) {
    last_ = place;
    if (tensor.buffer < 0 || buffers_[tensor.buffer].queue != queue) {
        fail(place, 2, "%s of a tensor that is not of this queue", name);
    }
    if (buffers_[tensor.buffer].generation != tensor.generation) {
        fail(place, 2, "%s of a tensor that was freed", name);
    }
    return tensor.buffer;
}

void Machine::enqueue(Place place, int index, const Local& tensor) {
    Queue& queue = queues_[index];
    const int at = bufferOf(place, "EnQue", index, tensor);
    Buffer& buffer = buffers_[at];
    if (buffer.state == BufferState::Enqueued) {
        fail(place, 2, "EnQue of a tensor that is enqueued");
    }
    if (queue.filled.size() >= static_cast<std::size_t>(queue.depth)) {
        fail(place, 2, "EnQue beyond the queue's depth of %d", queue.depth);
    }
    buffer.state = BufferState::Enqueued;
    queue.filled.push_back(at);
    raise(buffer.data, place, queue.input ? kLoad : kVector);
}

Local Machine::dequeue(Place place, int index, Type type) {
    last_ = place;
    Queue& queue = queues_[index];
    if (queue.filled.empty()) {
        fail(place, 2, "DeQue of an empty queue");
    }
    const int at = queue.filled.front();
    queue.filled.pop_front();
    Buffer& buffer = buffers_[at];
    buffer.state = BufferState::Dequeued;
    lower(buffer.data, place, queue.input ? kVector : kStore);
    return {type, buffer.address, buffer.bytes * 8 / bitsOf(type), at, buffer.generation};
}

void Machine::release(Place place, int index, const Local& tensor) {
    Buffer& buffer = buffers_[bufferOf(place, "FreeTensor", index, tensor)];
    if (buffer.state == BufferState::Free || buffer.state == BufferState::Enqueued) {
        fail(place, 2, "FreeTensor of a tensor that is %s", buffer.state == BufferState::Free ? "free" : "enqueued");
    }
    buffer.state = BufferState::Free;
    ++buffer.generation;
    raise(buffer.free, place, queues_[index].input ? kVector : kStore);
}

Local Machine::view(Place place, int scratch, Type type, std::int64_t elements) {
    last_ = place;
    if (scratch < 0) {
        fail(place, 2, "Get before InitBuffer");
    }
    const Buffer& buffer = buffers_[scratch];
    const std::uint64_t all = buffer.bytes * 8ULL / bitsOf(type);
    const std::uint64_t count = elements < 0 ? all : static_cast<std::uint64_t>(elements);
    if (count > all || (elements >= 0 && count * bitsOf(type) % 256 != 0)) {
        fail(place, 7, "Get of %llu elements from a buffer of %llu; whole blocks of 32 bytes only",
             static_cast<unsigned long long>(count), static_cast<unsigned long long>(all));
    }
    return {type, buffer.address, static_cast<std::uint32_t>(count), scratch, buffer.generation};
}

// ---- Local memory ----

void Machine::checkHandle(Place place, const char* name, const Local& tensor) {
    if (tensor.buffer < 0) {
        fail(place, 3, "%s of a tensor without memory", name);
    }
    const Buffer& buffer = buffers_[tensor.buffer];
    if (buffer.generation != tensor.generation || buffer.state == BufferState::Free) {
        fail(place, 3, "%s uses a tensor after FreeTensor", name);
    }
}

void Machine::requireDefined(Place place, const char* name, Range range) {
    const auto* begin = defined_.data() + range.address;
    const auto* found = static_cast<const std::uint8_t*>(std::memchr(begin, 0, range.bytes));
    if (found != nullptr) {
        fail(place, 6, "%s reads bytes that were never written: byte %u of %u at local address %u", name,
             static_cast<std::uint32_t>(found - begin), range.bytes, range.address);
    }
}

void Machine::define(Range range, bool defined) {
    std::memset(defined_.data() + range.address, defined ? 1 : 0, range.bytes);
}

void Machine::check(Place place, const char* name, Pipe pipe, std::uint32_t number, Range range, bool write) {
    if (range.bytes == 0) {
        return;
    }
    for (std::uint32_t at = range.address / kBlock; at <= (range.address + range.bytes - 1) / kBlock; ++at) {
        const Access& access = accesses_[at];
        const int writer = access.writerPipe;
        const bool mine = writer == pipe && (pipe == kScalar || access.writer == number);
        if (writer >= 0 && !mine && access.writer > done_[pipe][writer]) {
            if (writer == pipe) {
                fail(place, 10, "%s %s what %s:%d writes in the same pipe: PipeBarrier<PIPE_%s> is missing", name,
                     write ? "overwrites" : "reads", baseName(access.writerFile), access.writerLine, kPipeNames[pipe]);
            }
            fail(place, 10, "%s %s what %s:%d writes: event %s_%s is missing", name, write ? "overwrites" : "reads",
                 baseName(access.writerFile), access.writerLine, kPipeNames[writer], kPipeNames[pipe]);
        }
        for (int reader = 0; write && reader < kPipes; ++reader) {
            const bool own = reader == pipe && (pipe == kScalar || access.readers[reader] == number);
            if (!own && access.readers[reader] > done_[pipe][reader]) {
                fail(place, 10, "%s overwrites what pipe %s may still be reading: %s%s%s is missing", name,
                     kPipeNames[reader], reader == pipe ? "PipeBarrier<PIPE_" : kPipeNames[reader],
                     reader == pipe ? kPipeNames[pipe] : "_", reader == pipe ? ">" : kPipeNames[pipe]);
            }
        }
    }
}

// From here on it has been done. Apart from the check, so that an instruction that reads what it writes hides no other
// reader.
void Machine::remember(Place place, Pipe pipe, std::uint32_t number, Range range, bool write) {
    if (range.bytes == 0) {
        return;
    }
    for (std::uint32_t at = range.address / kBlock; at <= (range.address + range.bytes - 1) / kBlock; ++at) {
        Access& access = accesses_[at];
        if (write) {
            access.writer = number;
            access.writerPipe = pipe;
            access.writerFile = place.file;
            access.writerLine = place.line;
        } else {
            access.readers[pipe] = number;
        }
    }
}

std::uint8_t* Machine::element(Place place, const Local& tensor, std::uint32_t index, bool write) {
    const char* const name = write ? "SetValue" : "GetValue";
    last_ = place;
    checkHandle(place, name, tensor);
    if (index >= tensor.elements) {
        fail(place, 17, "%s of element %u of %u", name, index, tensor.elements);
    }
    const auto width = static_cast<std::uint32_t>(bitsOf(tensor.type)) / 8;
    const Range range{tensor.address + index * width, width};
    const std::uint32_t number = issue(kScalar);
    ++statistics.scalars;
    check(place, name, kScalar, number, range, write);
    remember(place, kScalar, number, range, write);
    if (write) {
        define(range, true);
    } else {
        requireDefined(place, name, range);
    }
    return local(range.address);
}

std::vector<Machine::Range> Machine::ranges(Place place, const char* name, const char* argument, const Local& operand,
                                            const Lanes& lanes, int which, std::uint32_t widest) {
    checkHandle(place, name, operand);
    if (operand.address % kBlock != 0) {
        fail(place, 8, "%s: %s begins at byte %u of a block of 32", name, argument, operand.address % kBlock);
    }
    const auto bits = static_cast<std::uint32_t>(bitsOf(operand.type));
    if (lanes.counted) {
        if (bits == 4 && lanes.count % 2 != 0) {
            fail(place, 15, "%s: an odd number of int4b_t", name);
        }
        if (lanes.count > operand.elements) {
            fail(place, 7, "%s: %s has %u elements, the instruction takes %u", name, argument, operand.elements,
                 lanes.count);
        }
        return {{operand.address, (lanes.count * bits + 7) / 8}};
    }
    const std::uint32_t width = bits / 8;
    const std::uint32_t perRepeat = 256 / widest;
    if (bits < 8 || (lanes.mask[0] == 0 && lanes.mask[1] == 0)) {
        fail(place, 15, "%s: %s", name, bits < 8 ? "int4b_t takes the count form only" : "a mask of 0");
    }
    if (lanes.repeats > 255 || (which == 0 && lanes.block[0] == 0)) {
        fail(place, 15, lanes.repeats > 255 ? "%s: %u repeats, at most 255" : "%s: destination block stride 0", name,
             lanes.repeats);
    }
    std::vector<Range> result;
    for (std::uint32_t r = 0; r < lanes.repeats; ++r) {
        for (std::uint32_t lane = 0; lane < perRepeat; ++lane) {
            if ((lanes.mask[lane / 64] >> lane % 64 & 1) == 0) {
                continue;
            }
            const std::uint32_t block = lane * width / kBlock;
            const std::uint32_t offset =
                (r * lanes.repeat[which] + block * lanes.block[which]) * kBlock + lane * width % kBlock;
            if (offset + width > operand.elements * width) {
                fail(place, 7, "%s: %s has %u elements, repeat %u reaches byte %u", name, argument, operand.elements, r,
                     offset);
            }
            const std::uint32_t address = operand.address + offset;
            if (!result.empty() && result.back().address + result.back().bytes == address) {
                result.back().bytes += width;
            } else {
                result.push_back({address, width});
            }
        }
    }
    if (lanes.mask[1] != 0 && perRepeat <= 64) {
        fail(place, 15, "%s: a mask for more than the %u elements of a repeat", name, perRepeat);
    }
    return result;
}

void Machine::vector(Place place, const char* name, const Local& to, std::vector<Range> writes,
                     std::vector<Range> reads, std::function<void()> work) {
    last_ = place;
    checkHandle(place, name, to);
    const std::uint32_t number = issue(kVector);
    ++statistics.vectors;
    for (const Range& range : reads) {
        requireDefined(place, name, range);
        check(place, name, kVector, number, range, false);
        statistics.localBytes += range.bytes;
    }
    for (const Range& range : writes) {
        check(place, name, kVector, number, range, true);
        statistics.localBytes += range.bytes;
    }
    for (const Range& range : reads) {
        remember(place, kVector, number, range, false);
    }
    for (const Range& range : writes) {
        remember(place, kVector, number, range, true);
        define(range, true);
    }
    push(kVector, {std::move(work), nullptr, nullptr});
}

void Machine::setDeqScale(Place place, float scale) {
    last_ = place;
    deqScale_ = scale;
    deqIssued_ = issue(kVector);
}

float Machine::deqScale(Place place) {
    if (!deqScale_) {
        fail(place, 15, "Cast from int32_t to half before SetDeqScale");
    }
    if (deqIssued_ > done_[kVector][kVector]) {
        fail(place, 10, "Cast from int32_t to half behind SetDeqScale: PipeBarrier<PIPE_V> is missing");
    }
    return *deqScale_;
}

void Machine::readAll(Place place, const char* name, const Local& from) {
    checkHandle(place, name, from);
    const Range range{from.address, from.elements * static_cast<std::uint32_t>(bitsOf(from.type)) / 8};
    check(place, name, kVector, issued_[kVector], range, false);
    remember(place, kVector, issued_[kVector], range, false);
}

// ---- Global memory ----

Region& Machine::region(Place place, const char* name, const std::uint8_t* from, std::uint64_t bytes,
                        std::uint64_t over) {
    for (Region& candidate : regions) {
        if (from >= candidate.data && from < candidate.data + candidate.bytes) {
            const auto end = static_cast<std::uint64_t>(from - candidate.data) + bytes;
            if (end > candidate.bytes + over) {
                fail(place, 12, "%s reaches %llu bytes past the end of global memory of %llu bytes", name,
                     static_cast<unsigned long long>(end - candidate.bytes),
                     static_cast<unsigned long long>(candidate.bytes));
            }
            return candidate;
        }
    }
    fail(place, 12, "%s at an address that is in no argument of the kernel", name);
}

void Machine::load(Place place, const char* name, const Local& to, const std::uint8_t* from, std::uint64_t allowed,
                   Copy copy) {
    last_ = place;
    checkHandle(place, name, to);
    if (to.address % kBlock != 0) {
        fail(place, 8, "%s: the local tensor begins at byte %u of a block of 32", name, to.address % kBlock);
    }
    const std::uint32_t number = issue(kLoad);
    ++statistics.copies;
    const std::uint32_t over = copy.exact ? 0 : kOverread;
    const std::uint32_t slot = roundUp(copy.left + copy.length + copy.right, kBlock);
    const std::uint32_t bytes = to.elements * static_cast<std::uint32_t>(bitsOf(to.type)) / 8;
    for (std::uint32_t b = 0; b < copy.blocks; ++b) {
        const std::uint64_t away = b * (static_cast<std::uint64_t>(copy.length) + copy.globalStep);
        const std::uint8_t* source = from + away;
        const std::uint32_t offset = b * (slot + copy.localStep);
        if (offset + slot > bytes) {
            fail(place, 7, "%s: block %u ends at byte %u of a tensor of %u bytes", name, b, offset + slot, bytes);
        }
        if (allowed != 0 && away + copy.length > allowed + over) {
            fail(place, 12, "%s: byte %llu of a GlobalTensor of %llu bytes", name,
                 static_cast<unsigned long long>(away + copy.length), static_cast<unsigned long long>(allowed));
        }
        Region& memory = region(place, name, source, copy.length, over);
        const auto begin = static_cast<std::uint64_t>(source - memory.data);
        if (begin % copy.width != 0) {
            fail(place, 8, "%s: global address not a multiple of the element's %u bytes", name, copy.width);
        }
        const std::uint32_t target = to.address + offset;
        check(place, name, kLoad, number, {target, slot}, true);
        remember(place, kLoad, number, {target, slot}, true);
        define({target, slot}, false);
        if (copy.pads) {
            define({target, copy.left}, true);
            define({target + copy.left + copy.length, copy.right}, true);
        }
        for (std::uint32_t i = 0; i < copy.length; ++i) {
            const std::uint64_t at = begin + i;
            if (at >= memory.bytes) {
                break;  // what lies behind the tensor is not known
            }
            defined_[target + copy.left + i] = memory.defined[at];
            if (memory.writable) {
                if (memory.writer[at] >= 0 && memory.writer[at] != static_cast<std::int32_t>(blockIndex)) {
                    fail(place, 13, "%s loads what block %d stores", name, memory.writer[at]);
                }
                if (memory.writer[at] >= 0 && memory.written[at] > done_[kLoad][kStore]) {
                    fail(place, 10, "%s loads what this block stores: event MTE3_MTE2 is missing", name);
                }
                memory.loaded[at] = number;
                const std::int32_t reader = memory.reader[at];
                memory.reader[at] = reader == -1 || reader == static_cast<std::int32_t>(blockIndex)
                                        ? static_cast<std::int32_t>(blockIndex)
                                        : -2;
            }
        }
        statistics.loaded += copy.length;
        push(kLoad, {[=, this] {
                         std::memset(local(target), options.poison, slot);
                         std::memcpy(local(target) + copy.left, source, copy.length);
                         if (copy.pads) {
                             for (std::uint32_t i = 0; i < copy.left; ++i) {
                                 std::memcpy(local(target) + i,
                                             reinterpret_cast<const char*>(&copy.padding) + i % copy.width, 1);
                             }
                             for (std::uint32_t i = 0; i < copy.right; ++i) {
                                 std::memcpy(local(target) + copy.left + copy.length + i,
                                             reinterpret_cast<const char*>(&copy.padding) + i % copy.width, 1);
                             }
                         }
                     },
                     nullptr, nullptr});
    }
}

void Machine::store(Place place, const char* name, std::uint8_t* to, std::uint64_t allowed, const Local& from,
                    Copy copy) {
    last_ = place;
    checkHandle(place, name, from);
    if (from.address % kBlock != 0) {
        fail(place, 8, "%s: the local tensor begins at byte %u of a block of 32", name, from.address % kBlock);
    }
    const std::uint32_t number = issue(kStore);
    ++statistics.copies;
    const std::uint32_t over = copy.exact ? 0 : kOverread;
    const std::uint32_t slot = roundUp(copy.length, kBlock);
    const std::uint32_t bytes = from.elements * static_cast<std::uint32_t>(bitsOf(from.type)) / 8;
    for (std::uint32_t b = 0; b < copy.blocks; ++b) {
        const std::uint64_t away = b * (static_cast<std::uint64_t>(copy.length) + copy.globalStep);
        std::uint8_t* target = to + away;
        const std::uint32_t source = from.address + b * (slot + copy.localStep);
        if (source - from.address + copy.length > bytes) {
            fail(place, 7, "%s: block %u ends at byte %u of a tensor of %u bytes", name, b,
                 source - from.address + copy.length, bytes);
        }
        if (allowed != 0 && away + copy.length > allowed + over) {
            fail(place, 12, "%s: byte %llu of a GlobalTensor of %llu bytes", name,
                 static_cast<unsigned long long>(away + copy.length), static_cast<unsigned long long>(allowed));
        }
        Region& memory = region(place, name, target, copy.length, over);
        if (!memory.writable) {
            fail(place, 12, "%s writes into an input", name);
        }
        const auto begin = static_cast<std::uint64_t>(target - memory.data);
        if (begin % copy.width != 0) {
            fail(place, 8, "%s: global address not a multiple of the element's %u bytes", name, copy.width);
        }
        check(place, name, kStore, number, {source, copy.length}, false);
        remember(place, kStore, number, {source, copy.length}, false);
        const auto me = static_cast<std::int32_t>(blockIndex);
        const std::uint64_t unit = kChip.movesBytes ? 1 : kBlock;
        const std::uint64_t first = begin / unit * unit;
        const std::uint64_t last =
            std::min<std::uint64_t>((begin + copy.length + unit - 1) / unit * unit, memory.bytes);
        for (std::uint64_t at = first; at < last; ++at) {
            if (memory.writer[at] >= 0 && memory.writer[at] != me) {
                fail(place, 13, "%s stores within %llu bytes of what block %d stores", name,
                     static_cast<unsigned long long>(unit), memory.writer[at]);
            }
            if (memory.reader[at] != -1 && memory.reader[at] != me) {
                fail(place, 13, "%s stores what another block loads", name);
            }
        }
        for (std::uint32_t i = 0; i < copy.length && begin + i < memory.bytes; ++i) {
            const std::uint64_t at = begin + i;
            if (memory.writer[at] == me && memory.written[at] > done_[kStore][kStore] && memory.written[at] != number) {
                fail(place, 10, "%s overwrites what this block stores: PipeBarrier<PIPE_MTE3> is missing", name);
            }
            if (memory.reader[at] == me && memory.loaded[at] > done_[kStore][kLoad]) {
                fail(place, 10, "%s overwrites what this block loads: event MTE2_MTE3 is missing", name);
            }
            memory.writer[at] = me;
            memory.written[at] = number;
            memory.defined[at] = defined_[source + i];
        }
        statistics.stored += copy.length;
        const std::uint64_t inside = std::min<std::uint64_t>(copy.length, memory.bytes - begin);
        push(kStore, {[=, this] {
                          std::memcpy(target, local(source), inside);
                          if (std::memcmp(target + inside, local(source) + inside, copy.length - inside) != 0) {
                              fail(place, 12, "%s changes bytes behind the end of global memory", name);
                          }
                      },
                      nullptr, nullptr});
    }
}

}  // namespace emu
