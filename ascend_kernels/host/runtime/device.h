// SPDX-License-Identifier: Apache-2.0
// Devices, contexts and the objects that belong to them; the one object that holds the state of the process.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <vector>

#include "runtime/captured_graph.h"
#include "runtime/event.h"
#include "runtime/handle_pool.h"
#include "runtime/memory.h"
#include "runtime/settings.h"
#include "runtime/stream.h"

namespace aclq {

struct Context {
    Context(std::int32_t device, bool primary) : device(device), primary(primary) {}

    const std::int32_t device;
    const bool primary;
    Stream* defaultStream = nullptr;
    std::set<Stream*> streams;  // guarded by Runtime::mutex, like the members below
    std::map<aclSysParamOpt, std::int64_t> options;
};

struct Device {
    Context* primary = nullptr;
    std::uint64_t references = 0;
    std::atomic<bool> saturate{false};
    std::set<std::int32_t> peers;
};

// The runtime's state of the process.
struct Runtime {
    explicit Runtime(Settings settings);

    Settings settings;
    mutable std::recursive_mutex mutex;

    std::uint64_t initialisations = 0;
    bool finalised = false;
    // The device of threads that have not set one; -1: such threads have no device.
    std::atomic<std::int32_t> defaultDevice{-1};
    std::map<aclSysParamOpt, std::int64_t> options;

    // Of these, settings.deviceCount exist.
    std::array<Device, kMaxDevices> devices;
    Memory memory;
    HandlePool<Context> contexts;
    std::set<Context*> explicitContexts;
    HandlePool<Stream> streams;
    HandlePool<Event> events;
    Captures captures;
    std::atomic<std::int32_t> nextStreamId{0};
    std::atomic<std::uint32_t> nextEventId{0};

    // Settings may change only while no context exists.
    bool inUse() const { return contexts.live() != 0; }
};

Runtime& runtime();
// The same without making one: null when this process has not used the device.
Runtime* existingRuntime();

// Keeps the memory of ranges while a task runs on them.
class Pins {
  public:
    explicit Pins(std::span<Hold> holds) : holds_(holds) { runtime().memory.pin(holds_); }
    ~Pins() { end(); }
    Pins(const Pins&) = delete;
    Pins& operator=(const Pins&) = delete;

    // Releases the memory; returns the number of a range that was freed meanwhile, or -1.
    std::ptrdiff_t end() {
        const std::ptrdiff_t freed = runtime().memory.unpin(holds_);
        holds_ = {};
        return freed;
    }

  private:
    std::span<Hold> holds_;
};

// The calling thread's context; null if it has none (or the one it had was destroyed).
Context* currentContext();
void setCurrentContext(Context* context);
// The same, after opening the default device if one is configured; notes 107002 with a text when there is none.
aclError requireContext(Context*& context);

// `stream` as a client passes it: null is the default stream of the current context.
aclError requireStream(aclrtStream handle, Stream*& stream);
aclError requireEvent(aclrtEvent handle, Event*& event);

aclError checkDeviceId(std::int64_t device, const char* argument = "deviceId");
// How long to wait, in milliseconds.
aclError checkTimeout(std::int32_t timeout);
aclError checkSoc(int code);

aclError setDevice(std::int32_t device);
aclError resetDevice(std::int32_t device, bool force);
aclError createContext(Context** context, std::int32_t device);
aclError destroyContext(aclrtContext context);
aclError createStream(Context& context, std::uint32_t priority, std::uint32_t flags, Stream** stream);
aclError destroyStream(aclrtStream stream, bool force);
aclError synchronizeDevice(std::int32_t timeoutMs);
// Tasks that have not finished, over all streams of the device.
std::uint64_t queuedTasks(std::int32_t device);
// The first error any stream of the context has kept, without waiting for them.
aclError reportErrors(const Context& context);

}  // namespace aclq
