// SPDX-License-Identifier: Apache-2.0
#include "meta/report.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "meta/pools.h"
#include "runtime/device.h"
#include "runtime/status.h"

namespace aclq {
namespace {

class Lines {
  public:
    void add(const std::string& line) { lines_.push_back(line); }

    template <class T, class Describe>
    void addAll(const HandlePool<T>& pool, const char* kind, Describe&& describe) {
        pool.forEach(
            [&](const T& object) { add(text("%s %p", kind, static_cast<const void*>(&object)) + describe(object)); });
    }

    void print(const char* when) const {
        std::string all = lines_.empty() ? text("aclquant: nothing is left %s\n", when)
                                         : text("aclquant: left %s: %zu\n", when, lines_.size());
        for (const std::string& line : lines_) {
            all += "aclquant:   " + line + "\n";
        }
        std::fwrite(all.data(), 1, all.size(), stderr);
    }

  private:
    std::vector<std::string> lines_;
};

unsigned long long number(std::uint64_t value) {
    return value;
}

void addMeta(Lines& lines) {
    const Pools& all = pools();
    lines.addAll(all.tensors, "tensor", [](const aclTensor& tensor) {
        return " of " + nameOf(tensor.dtype) + " " + tensor.shape.text() + text(" at %p", tensor.data);
    });
    lines.addAll(all.executors, "executor", [](const aclOpExecutor& executor) {
        return text(" of %s, workspace %llu bytes%s", executor.operation, number(executor.workspaceSize),
                    executor.repeatable ? ", repeatable" : ", phase 2 not called");
    });
    lines.addAll(all.scalars, "scalar", [](const aclScalar& scalar) { return " of " + nameOf(scalar.dtype); });
    lines.addAll(all.intArrays, "aclIntArray",
                 [](const aclIntArray& array) { return text(" of %zu", array.values.size()); });
    lines.addAll(all.floatArrays, "aclFloatArray",
                 [](const aclFloatArray& array) { return text(" of %zu", array.values.size()); });
    lines.addAll(all.boolArrays, "aclBoolArray",
                 [](const aclBoolArray& array) { return text(" of %zu", array.values.size()); });
    lines.addAll(all.tensorLists, "aclTensorList",
                 [](const aclTensorList& list) { return text(" of %zu", list.tensors.size()); });
    lines.addAll(all.scalarLists, "aclScalarList",
                 [](const aclScalarList& list) { return text(" of %zu", list.scalars.size()); });
}

void addContext(Lines& lines, const Context& context) {
    for (const Stream* stream : context.streams) {
        const std::uint64_t queued = stream->queued();
        if (stream != context.defaultStream || queued != 0) {
            lines.add(
                text("stream %p (%s, device %d), %llu tasks queued", static_cast<const void*>(stream),
                     stream == context.defaultStream ? "the default stream" : text("number %d", stream->id).c_str(),
                     context.device, number(queued)));
        }
    }
}

void addRuntime(Lines& lines, const Runtime& state) {
    const std::lock_guard lock(state.mutex);
    for (std::size_t device = 0; device < state.devices.size(); ++device) {
        if (const Context* primary = state.devices[device].primary) {
            addContext(lines, *primary);
            lines.add(
                text("device %zu, set %llu times more than reset", device, number(state.devices[device].references)));
        }
    }
    for (const Context* context : state.explicitContexts) {
        addContext(lines, *context);
        lines.add(text("context %p of device %d", static_cast<const void*>(context), context->device));
    }
    lines.addAll(state.events, "event", [](const Event& event) {
        return text(" (number %u)%s", event.id, event.latest() != nullptr ? ", recorded" : ", never recorded");
    });
    state.memory.forEach([&](Allocation allocation) {
        allocation.size = allocation.asked;  // the size that the client requested
        lines.add(describe(allocation) +
                  (allocation.kind == MemoryKind::Device ? text(" (device %d)", allocation.device) : ""));
    });
}

}  // namespace

void report(const char* when) {
    Lines lines;
    addMeta(lines);
    addRuntime(lines, runtime());
    lines.print(when);
}

void reportIfAsked(const char* when) {
    if (runtime().settings.report) {
        report(when);
    }
}

void reportAtExitIfAsked() {
    static constinit std::atomic<bool> registered{false};
    if (!runtime().settings.report || registered.exchange(true)) {
        return;
    }
    std::atexit([] {
        // Not in a forked child of the process that registered this.
        if (const Runtime* state = existingRuntime(); state != nullptr && state->initialisations > 0) {
            aclApi("exit", []() -> aclError {
                report("at the end of the process (aclFinalize was not called)");
                return ACL_SUCCESS;
            });
        }
    });
}

}  // namespace aclq
