// SPDX-License-Identifier: Apache-2.0
#include "runtime/captured_graph.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "runtime/device.h"
#include "runtime/status.h"

namespace aclq {
namespace {

constexpr std::uint64_t kSmallBytes = 256 * 1024;
// Interval at which a replay checks the event it waits for.
constexpr std::chrono::microseconds kLook{100};
// How long Destroy waits for running replays.
constexpr std::chrono::seconds kDestroyLimit{10};
// Streams with these flags belong to the device or to a model.
constexpr std::uint32_t kNotCapturable = ACL_STREAM_PERSISTENT | ACL_STREAM_DEVICE_USE_ONLY | ACL_STREAM_CPU_SCHEDULE;

constinit thread_local aclmdlRICaptureMode exchangeMode = ACL_MODEL_RI_CAPTURE_MODE_GLOBAL;
constinit thread_local std::uint64_t ownNumber = 0;

std::uint64_t uniqueThread() {
    static std::atomic<std::uint64_t> last{0};
    if (ownNumber == 0) {
        ownNumber = ++last;
    }
    return ownNumber;
}

const char* nameOf(aclmdlRICaptureMode mode) {
    return mode == ACL_MODEL_RI_CAPTURE_MODE_GLOBAL         ? "global"
           : mode == ACL_MODEL_RI_CAPTURE_MODE_THREAD_LOCAL ? "thread-local"
                                                            : "relaxed";
}

const char* nameOf(TaskKind kind) {
    switch (kind) {
        case TaskKind::Kernel:
            return "kernel";
        case TaskKind::Copy:
            return "copy";
        case TaskKind::Event:
            return "event";
        case TaskKind::Value:
            return "value";
        case TaskKind::HostFunction:
            return "host function";
        default:
            return "task";
    }
}

Captures& captures() {
    return runtime().captures;
}

// "aclrtMemcpyAsync in thread 1234"
std::string thisCall() {
    return text("%s in thread %d", currentFunction(), threadNumber());
}

// The stream, of the current context, that a capture may begin or end on.
aclError requireCapturable(aclrtStream handle, Stream*& stream) {
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    return stream != stream->context->defaultStream
               ? ACL_SUCCESS
               : failArgument(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, "stream", "the default stream of the context",
                              "a stream made by aclrtCreateStream: the default stream cannot be captured");
}

// With the lock of the captures held. All its streams run their tasks again.
void finish(const std::shared_ptr<CapturedGraph>& graph, bool keep) {
    graph->capturing = false;
    for (const CapturedGraph::Lane& lane : graph->lanes) {
        lane.stream->setCapture({});
    }
    Captures& all = captures();
    std::erase(all.running, graph);
    all.count = all.running.size();
    if (!keep) {
        all.handles.destroy(graph->handle);
    }
}

class ReplayTask : public Task {
  public:
    ReplayTask(std::shared_ptr<CapturedGraph> graph, const Stream& stream) : graph_(std::move(graph)), stream_(stream) {
        graph_->pending.fetch_add(1);
    }
    ~ReplayTask() override { graph_->pending.fetch_sub(1); }
    std::optional<AsyncError> run() override { return graph_->replay(stream_.stopOnFailure, interrupted_); }
    bool isSmall() const override { return suitsWaiters() && bytes() <= kSmallBytes; }
    // The calling thread may be the one that will complete what the graph waits for.
    bool suitsWaiters() const override { return !graph_->mayBlock(); }
    std::uint64_t bytes() const override { return graph_->bytes(); }
    void interrupt() override { interrupted_ = true; }

  private:
    const std::shared_ptr<CapturedGraph> graph_;
    const Stream& stream_;
    std::atomic<bool> interrupted_{false};
};

// Applies the tasks of an update, at its position in the stream.
class ReplaceTask : public Task {
  public:
    explicit ReplaceTask(std::shared_ptr<TaskUpdate> update)
        : update_(std::move(update)), nodes_(update_->group->nodes) {}
    std::optional<AsyncError> run() override {
        for (std::size_t index = 0; index < nodes_.size(); ++index) {
            update_->graph->replace(nodes_[index], update_->fresh[index]);
        }
        return std::nullopt;
    }
    bool isSmall() const override { return true; }
    bool suitsWaiters() const override { return true; }

  private:
    const std::shared_ptr<TaskUpdate> update_;
    const std::vector<std::size_t> nodes_;
};

// With the lock held.
aclError append(CapturedGraph& graph, std::size_t lane, std::shared_ptr<Task> task, std::ptrdiff_t after,
                std::size_t* node) {
    if (!graph.capturing) {
        return fail(ACL_ERROR_RT_STREAM_NOT_CAPTURED,
                    "the capture of this stream was ended in another thread meanwhile");
    }
    if (!graph.spoiledBy.empty()) {
        return fail(ACL_ERROR_RT_STREAM_CAPTURE_INVALIDATED,
                    text("the capture of %s is invalid since %s; nothing was recorded: end it and capture again",
                         graph.who().c_str(), graph.spoiledBy.c_str()));
    }
    for (std::size_t other = 0; other < graph.lanes.size(); ++other) {
        if (TaskGroup* group = graph.lanes[other].openGroup; group != nullptr && other != lane) {
            group->error = ACL_ERROR_STREAM_TASK_GROUP_INTR;
            return fail(ACL_ERROR_STREAM_TASK_GROUP_INTR,
                        text("stream %d, of the same capture, has a task group open; end the group before work goes to "
                             "stream %d",
                             graph.lanes[other].streamId, graph.lanes[lane].streamId));
        }
    }
    TaskGroup* const group = graph.lanes[lane].openGroup;
    if (group != nullptr && task->kind() != TaskKind::Kernel) {
        return fail(ACL_ERROR_RT_TASK_TYPE_NOT_SUPPORT,
                    text("a task group of stream %d is open, which takes kernels only; end the group before a %s",
                         graph.lanes[lane].streamId, nameOf(task->kind())));
    }
    try {
        if (group != nullptr) {
            group->nodes.reserve(group->nodes.size() + 1);
        }
        graph.nodes.push_back({std::move(task), lane, after});
    } catch (...) {
        graph.spoiledBy = thisCall() + ", which found no memory to record its task";
        throw;
    }
    if (group != nullptr) {
        group->nodes.push_back(graph.nodes.size() - 1);
    }
    if (node != nullptr) {
        *node = graph.nodes.size() - 1;
    }
    return ACL_SUCCESS;
}

// 0, or the number of a lane whose work does not lead to the origin (lane 0). A lane leads there if its last task
// records an event and a lane that leads there waits for it.
std::size_t findUnjoined(const CapturedGraph& graph) {
    const std::size_t count = graph.lanes.size();
    std::vector<std::ptrdiff_t> last(count, -1);
    for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
        last[graph.nodes[node].lane] = static_cast<std::ptrdiff_t>(node);
    }
    std::vector<bool> joined(count, false);
    joined[0] = true;
    for (bool more = true; more;) {
        more = false;
        for (const CapturedGraph::Node& node : graph.nodes) {
            if (node.after < 0 || !joined[node.lane]) {
                continue;
            }
            const std::size_t from = graph.nodes[static_cast<std::size_t>(node.after)].lane;
            if (!joined[from] && last[from] == node.after) {
                joined[from] = true;
                more = true;
            }
        }
    }
    const auto found = std::find(joined.begin(), joined.end(), false);
    return found == joined.end() ? 0 : static_cast<std::size_t>(found - joined.begin());
}

}  // namespace

int threadNumber() {
    return static_cast<int>(::gettid());
}

CapturedGraph::CapturedGraph(const Stream& origin, aclmdlRICaptureMode captureMode, std::uint32_t number)
    : context(origin.context),
      mode(captureMode),
      id(number),
      originId(origin.id),
      beginThread(uniqueThread()),
      beginTid(threadNumber()) {}

std::string CapturedGraph::who() const {
    return aclq::text("stream %d (%s mode, begun in thread %d)", originId, nameOf(mode), beginTid);
}

void CapturedGraph::seal() {
    for (const Node& node : nodes) {
        mayBlock_ = mayBlock_ || !node.task->suitsWaiters();
        bytes_ += node.task->bytes();
    }
}

void CapturedGraph::replace(std::size_t node, std::shared_ptr<Task> task) {
    const std::lock_guard lock(tasks_);
    nodes[node].task.swap(task);
}

std::optional<AsyncError> CapturedGraph::replay(bool stopAtError, const std::atomic<bool>& interrupted) {
    std::unique_lock turn(turn_, std::defer_lock);
    while (!turn.try_lock()) {
        if (interrupted) {
            return std::nullopt;
        }
        std::this_thread::sleep_for(kLook);
    }
    std::optional<AsyncError> first;
    std::vector<bool> done(nodes.size(), false);
    std::vector<bool> held(lanes.size());
    for (std::size_t left = nodes.size(); left > 0;) {
        std::fill(held.begin(), held.end(), false);
        const std::size_t before = left;
        for (std::size_t index = 0; index < nodes.size(); ++index) {
            const Node& node = nodes[index];
            if (done[index] || held[node.lane]) {
                continue;
            }
            std::shared_ptr<Task> task;
            {
                const std::lock_guard lock(tasks_);
                task = node.task;
            }
            if ((node.after >= 0 && !done[static_cast<std::size_t>(node.after)]) || !task->readyToReplay()) {
                held[node.lane] = true;
                continue;
            }
            if (interrupted) {
                return first;
            }
            std::optional<AsyncError> error = task->replay();
            done[index] = true;
            --left;
            if (error && !first) {
                first = std::move(error);
                if (stopAtError) {
                    return first;
                }
            }
        }
        if (left == before) {
            if (interrupted) {
                return first;
            }
            std::this_thread::sleep_for(kLook);
        }
    }
    return first;
}

std::string CapturedGraph::text() const {
    std::string lines = aclq::text("graph %u of device %d: %zu tasks", id, context->device, nodes.size());
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        const Node& node = nodes[index];
        lines += aclq::text("\n  task %zu, stream %d: %s %s", index, lanes[node.lane].streamId,
                            nameOf(node.task->kind()), node.task->name());
    }
    return lines;
}

std::string CapturedGraph::json(bool verbose) const {
    std::string events;
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        const Node& node = nodes[index];
        events += aclq::text(
            "%s\n  {\"name\": \"%s\", \"cat\": \"%s\", \"ph\": \"X\", \"ts\": %zu, \"dur\": 1, \"pid\": \"graph %u\", "
            "\"tid\": \"stream %d\", \"args\": {\"task_id\": %zu",
            index > 0 ? "," : "", node.task->name(), nameOf(node.task->kind()), index, id, lanes[node.lane].streamId,
            index);
        if (verbose) {
            events += aclq::text(", \"bytes\": %llu", static_cast<unsigned long long>(node.task->bytes()));
            if (node.after >= 0) {
                events += aclq::text(", \"waits_for\": %td", node.after);
            }
        }
        events += "}}";
    }
    return "[" + events + "\n]\n";
}

aclError recordNode(const CapturePart& part, std::shared_ptr<Task> task, std::ptrdiff_t after, std::size_t* node) {
    const std::lock_guard lock(captures().mutex);
    return append(*part.graph, part.lane, std::move(task), after, node);
}

aclError recordTask(const CapturePart& part, std::unique_ptr<Task> task) {
    return recordNode(part, std::move(task), -1, nullptr);
}

aclError replaceTask(TaskUpdate& update, std::unique_ptr<Task> task) {
    const std::lock_guard lock(captures().mutex);
    if (task->kind() != TaskKind::Kernel) {
        return fail(ACL_ERROR_RT_TASK_TYPE_NOT_SUPPORT,
                    text("the stream updates a task group, which takes kernels only; end the update before a %s",
                         nameOf(task->kind())));
    }
    const std::size_t count = update.group->nodes.size();
    if (update.fresh.size() == count) {
        return fail(ACL_ERROR_RT_INTERNAL_ERROR,
                    text("the task group has %zu tasks, all of which this update has replaced; an update launches the "
                         "same kernels as the group, in the same order",
                         count));
    }
    update.fresh.push_back(std::move(task));
    return ACL_SUCCESS;
}

aclError joinCapture(Stream& stream, const std::shared_ptr<CapturedGraph>& graph) {
    const std::lock_guard lock(captures().mutex);
    if (stream.context != graph->context) {
        return fail(ACL_ERROR_RT_STREAM_CONTEXT,
                    text("the event was recorded in the capture of %s, of another context", graph->who().c_str()));
    }
    if (&stream == stream.context->defaultStream) {
        return fail(ACL_ERROR_RT_STREAM_CAPTURE_IMPLICIT,
                    text("the event was recorded in the capture of %s, and the default stream cannot join a capture; "
                         "wait in a stream made by aclrtCreateStream, or end the capture first",
                         graph->who().c_str()));
    }
    const CapturePart part = stream.capture();
    if (part.graph == graph) {
        return ACL_SUCCESS;
    }
    if (part.graph != nullptr) {
        const std::string call = thisCall() + text(", which made one capture wait for an event of the other");
        part.graph->spoiledBy = part.graph->spoiledBy.empty() ? call : part.graph->spoiledBy;
        graph->spoiledBy = graph->spoiledBy.empty() ? call : graph->spoiledBy;
        return fail(
            ACL_ERROR_STREAM_CAPTURE_CONFLICT,
            text("stream %d belongs to the capture of %s, and the event to that of %s; both are invalid now. "
                 "Captures cannot wait for each other: end one before the other, or capture both from one stream",
                 stream.id, part.graph->who().c_str(), graph->who().c_str()));
    }
    graph->lanes.push_back({&stream, stream.id, nullptr});
    stream.setCapture({graph, graph->lanes.size() - 1});
    return ACL_SUCCESS;
}

void noteWaitForNothing(CapturedGraph& graph) {
    const std::lock_guard lock(captures().mutex);
    graph.waitsForNothing = true;
}

aclError refuseWhileCapturing(const Stream& stream, const char* what) {
    if (!stream.capturing()) {
        return ACL_SUCCESS;
    }
    const CapturePart part = stream.capture();
    if (part.graph == nullptr) {
        return ACL_SUCCESS;
    }
    return fail(ACL_ERROR_RT_STREAM_CAPTURED,
                text("stream %d is being captured, by the capture of %s, and its tasks do not run yet: it cannot %s; "
                     "call aclmdlRICaptureEnd first",
                     stream.id, part.graph->who().c_str(), what));
}

aclError refuseDeviceWhileCapturing(const Context& context) {
    if (captures().count == 0) {
        return ACL_SUCCESS;
    }
    const std::lock_guard lock(captures().mutex);
    for (const auto& graph : captures().running) {
        if (graph->context == &context) {
            return fail(ACL_ERROR_RT_STREAM_CAPTURED,
                        text("the capture of %s is going on, whose tasks do not run yet: the device cannot be waited "
                             "for; call aclmdlRICaptureEnd first",
                             graph->who().c_str()));
        }
    }
    return ACL_SUCCESS;
}

aclError checkCaptureMode(const Context& context, int code, const char* what) {
    if (captures().count == 0 || exchangeMode == ACL_MODEL_RI_CAPTURE_MODE_RELAXED) {
        return ACL_SUCCESS;
    }
    const std::lock_guard lock(captures().mutex);
    const CapturedGraph* strictest = nullptr;     // of the context
    const CapturedGraph* strictestOwn = nullptr;  // begun by this thread
    for (const auto& graph : captures().running) {
        if (graph->context == &context && (strictest == nullptr || graph->mode < strictest->mode)) {
            strictest = graph.get();
        }
        if (graph->beginThread == uniqueThread() && (strictestOwn == nullptr || graph->mode < strictestOwn->mode)) {
            strictestOwn = graph.get();
        }
    }
    const CapturedGraph* refusing = nullptr;
    if (strictestOwn != nullptr && strictestOwn->mode != ACL_MODEL_RI_CAPTURE_MODE_RELAXED &&
        (exchangeMode == ACL_MODEL_RI_CAPTURE_MODE_THREAD_LOCAL ||
         strictestOwn->mode == ACL_MODEL_RI_CAPTURE_MODE_THREAD_LOCAL)) {
        refusing = strictestOwn;
    }
    if (exchangeMode == ACL_MODEL_RI_CAPTURE_MODE_GLOBAL && strictest != nullptr &&
        strictest->mode == ACL_MODEL_RI_CAPTURE_MODE_GLOBAL) {
        refusing = strictest;
    }
    if (refusing == nullptr) {
        return ACL_SUCCESS;
    }
    return fail(code,
                text("%s in thread %d while the capture of %s is going on; the capture is not harmed. Do it before "
                     "or after the capture, capture in relaxed mode, or set this thread's mode to relaxed with "
                     "aclmdlRICaptureThreadExchangeMode",
                     what, threadNumber(), refusing->who().c_str()));
}

void dropCaptures(Stream& stream) {
    const std::lock_guard lock(captures().mutex);
    if (const CapturePart part = stream.capture(); part.graph != nullptr) {
        finish(part.graph, false);
    }
    if (const std::shared_ptr<TaskUpdate> update = stream.update()) {
        update->group->updating = false;
        stream.setUpdate(nullptr);
    }
}

aclError beginCapture(aclrtStream handle, aclmdlRICaptureMode mode) {
    if (static_cast<int>(mode) < ACL_MODEL_RI_CAPTURE_MODE_GLOBAL || mode > ACL_MODEL_RI_CAPTURE_MODE_RELAXED) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "mode", std::to_string(static_cast<int>(mode)),
                            "0 (global), 1 (thread-local) or 2 (relaxed)");
    }
    if (const Stream* unchecked = runtime().streams.find(handle);
        unchecked != nullptr && (unchecked->flags & kNotCapturable) != 0) {
        return failArgument(ACL_ERROR_RT_INTERNAL_ERROR, "stream",
                            text("a stream made with flags 0x%x", unchecked->flags),
                            "a stream without the flags persistent, device use only and CPU schedule");
    }
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireCapturable(handle, stream));
    const std::lock_guard lock(captures().mutex);
    if (const CapturePart part = stream->capture(); part.graph != nullptr) {
        return fail(ACL_ERROR_RT_STREAM_CAPTURED,
                    text("stream %d is being captured already, by the capture of %s; end that one first", stream->id,
                         part.graph->who().c_str()));
    }
    if (stream->update() != nullptr) {
        return fail(ACL_ERROR_STREAM_TASK_GROUP_STATUS,
                    text("stream %d updates a task group; call aclmdlRICaptureTaskUpdateEnd first", stream->id));
    }
    Captures& all = captures();
    const auto graph = std::make_shared<CapturedGraph>(*stream, mode, all.nextId++);
    graph->lanes.push_back({stream, stream->id, nullptr});
    all.running.reserve(all.running.size() + 1);
    graph->handle = all.handles.create(GraphHandle{graph});
    all.running.push_back(graph);
    all.count = all.running.size();
    stream->setCapture({graph, 0});
    return ACL_SUCCESS;
}

aclError captureInfo(aclrtStream handle, aclmdlRICaptureStatus* status, aclmdlRI* result) {
    const Stream* stream = runtime().streams.find(handle);
    if (stream == nullptr) {
        return failArgument(ACL_ERROR_RT_INVALID_HANDLE, "stream", text("%p", handle), "a live aclrtStream");
    }
    const CapturePart part = stream->capture();
    bool spoiled = false;
    if (part.graph != nullptr) {
        const std::lock_guard lock(captures().mutex);
        spoiled = !part.graph->spoiledBy.empty();
    }
    if (status != nullptr) {
        *status = part.graph == nullptr ? ACL_MODEL_RI_CAPTURE_STATUS_NONE
                  : spoiled             ? ACL_MODEL_RI_CAPTURE_STATUS_INVALIDATED
                                        : ACL_MODEL_RI_CAPTURE_STATUS_ACTIVE;
    }
    if (result != nullptr) {
        *result = part.graph != nullptr ? part.graph->handle : nullptr;
    }
    return ACL_SUCCESS;
}

aclError endCapture(aclrtStream handle, aclmdlRI* result) {
    if (result == nullptr) {
        if (const Stream* stream = runtime().streams.find(handle); stream != nullptr && stream->capturing()) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "modelRI", "null", "a pointer for the graph");
        }
    }
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireCapturable(handle, stream));
    if (result != nullptr) {
        *result = nullptr;
    }
    const std::lock_guard lock(captures().mutex);
    const CapturePart part = stream->capture();
    if (part.graph == nullptr) {
        return fail(ACL_ERROR_RT_STREAM_NOT_CAPTURED,
                    text("stream %d is not being captured; aclmdlRICaptureBegin comes first", stream->id));
    }
    const std::shared_ptr<CapturedGraph> graph = part.graph;
    if (part.lane != 0) {
        return fail(
            ACL_ERROR_RT_STREAM_CAPTURE_UNMATCHED,
            text("stream %d has only joined the capture of %s; end it there", stream->id, graph->who().c_str()));
    }
    const auto refuse = [&](int code, const std::string& sentence) {
        const aclError status = fail(code, sentence);
        finish(graph, false);
        return status;
    };
    if (graph->beginThread != uniqueThread() && graph->mode != ACL_MODEL_RI_CAPTURE_MODE_RELAXED) {
        return refuse(
            ACL_ERROR_RT_STREAM_CAPTURE_WRONG_THREAD,
            text("thread %d ends the capture of %s, which is lost now; end a capture in the thread that began "
                 "it, or begin it in relaxed mode",
                 threadNumber(), graph->who().c_str()));
    }
    if (!graph->spoiledBy.empty()) {
        return refuse(ACL_ERROR_RT_STREAM_CAPTURE_INVALIDATED,
                      text("the capture of %s was broken by %s; it is lost now: leave that call out and capture again",
                           graph->who().c_str(), graph->spoiledBy.c_str()));
    }
    for (const CapturedGraph::Lane& lane : graph->lanes) {
        if (lane.openGroup != nullptr) {
            return refuse(ACL_ERROR_STREAM_TASK_GROUP_STATUS,
                          text("a task group of stream %d is open; the capture of %s is lost now: call "
                               "aclmdlRICaptureTaskGrpEnd before aclmdlRICaptureEnd",
                               lane.streamId, graph->who().c_str()));
        }
    }
    if (const std::size_t lane = findUnjoined(*graph); lane != 0) {
        return refuse(ACL_ERROR_RT_STREAM_UNJOINED,
                      text("stream %d has joined the capture of %s and not come back, or has got work since; the "
                           "capture is lost now: as its last task record an event, and let stream %d wait for it",
                           graph->lanes[lane].streamId, graph->who().c_str(), stream->id));
    }
    if (graph->waitsForNothing) {
        return refuse(
            ACL_ERROR_RT_CAPTURE_DEPENDENCY,
            text("the capture of %s waits for an event that it never records; it is lost now: record the event "
                 "inside the capture, or use one with the flag ACL_EVENT_EXTERNAL",
                 graph->who().c_str()));
    }
    graph->seal();
    finish(graph, true);
    *result = graph->handle;
    return ACL_SUCCESS;
}

aclError exchangeCaptureMode(aclmdlRICaptureMode* mode) {
    const aclmdlRICaptureMode wanted = *mode;
    if (static_cast<int>(wanted) < ACL_MODEL_RI_CAPTURE_MODE_GLOBAL || wanted > ACL_MODEL_RI_CAPTURE_MODE_RELAXED) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "mode", std::to_string(static_cast<int>(wanted)),
                            "0 (global), 1 (thread-local) or 2 (relaxed)");
    }
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    *mode = std::exchange(exchangeMode, wanted);
    return ACL_SUCCESS;
}

// If it is known.
aclError findGraph(aclmdlRI handle, std::shared_ptr<CapturedGraph>& graph) {
    const std::lock_guard lock(captures().mutex);
    const GraphHandle* found = captures().handles.find(handle);
    if (found == nullptr) {
        return failArgument(ACL_ERROR_RT_INVALID_HANDLE, "modelRI", text("%p", handle),
                            "a graph of aclmdlRICaptureEnd that was not destroyed");
    }
    graph = found->graph;
    return ACL_SUCCESS;
}

namespace {

aclError checkReady(const CapturedGraph& graph) {
    const std::lock_guard lock(captures().mutex);
    return !graph.capturing
               ? ACL_SUCCESS
               : fail(ACL_ERROR_RT_MODEL_CAPTURED, text("the graph is still being captured, by the capture of %s; call "
                                                        "aclmdlRICaptureEnd first",
                                                        graph.who().c_str()));
}

}  // namespace

aclError executeGraph(aclmdlRI handle, aclrtStream target) {
    std::shared_ptr<CapturedGraph> graph;
    ACLQ_RETURN_IF_FAILED(findGraph(handle, graph));
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(target, stream));
    ACLQ_RETURN_IF_FAILED(refuseWhileCapturing(*stream, "take the replay of a graph"));
    ACLQ_RETURN_IF_FAILED(checkReady(*graph));
    if (stream->context != graph->context) {
        return failArgument(ACL_ERROR_RT_STREAM_CONTEXT, "stream", text("stream %d of another context", stream->id),
                            "a stream of the context that the graph was captured in");
    }
    return stream->submit(std::make_unique<ReplayTask>(std::move(graph), *stream));
}

aclError executeGraphAndWait(aclmdlRI handle, std::int32_t timeoutMs) {
    ACLQ_RETURN_IF_FAILED(checkTimeout(timeoutMs));
    ACLQ_RETURN_IF_FAILED(executeGraph(handle, nullptr));
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(nullptr, stream));
    return stream->synchronize(timeoutMs);
}

aclError destroyGraph(aclmdlRI handle) {
    std::shared_ptr<CapturedGraph> graph;
    {
        const std::lock_guard lock(captures().mutex);
        const GraphHandle* found = captures().handles.find(handle);
        if (found == nullptr) {
            return ACL_SUCCESS;  // like CANN
        }
        graph = found->graph;
    }
    ACLQ_RETURN_IF_FAILED(checkReady(*graph));
    const auto end = std::chrono::steady_clock::now() + kDestroyLimit;
    while (graph->pending != 0) {
        if (std::chrono::steady_clock::now() >= end) {
            return fail(
                ACL_ERROR_RT_MODEL_RUNNING,
                text("%u replays of the graph are still queued or running after 10 s; wait for their streams first",
                     graph->pending.load()));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::lock_guard lock(captures().mutex);
    for (const std::unique_ptr<TaskGroup>& group : graph->groups) {
        captures().groupHandles.forEach([&](TaskGroup*& known) {
            if (known == group.get()) {
                captures().groupHandles.destroy(&known);
            }
        });
    }
    captures().handles.destroy(handle);
    return ACL_SUCCESS;
}

namespace {

// The capture that a stream takes part in; task groups need one. The caller has locked captures().
aclError requireCapture(const Stream& stream, CapturePart& part) {
    part = stream.capture();
    return part.graph != nullptr
               ? ACL_SUCCESS
               : fail(ACL_ERROR_RT_STREAM_NOT_CAPTURED,
                      text("stream %d is not being captured; a task group is a part of a capture", stream.id));
}

}  // namespace

aclError beginGroup(aclrtStream handle) {
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    const std::lock_guard lock(captures().mutex);
    CapturePart part;
    ACLQ_RETURN_IF_FAILED(requireCapture(*stream, part));
    CapturedGraph::Lane& lane = part.graph->lanes[part.lane];
    if (lane.openGroup != nullptr) {
        return fail(
            ACL_ERROR_STREAM_TASK_GROUP_STATUS,
            text("a task group of stream %d is open already; call aclmdlRICaptureTaskGrpEnd first", stream->id));
    }
    part.graph->groups.push_back(std::make_unique<TaskGroup>());
    lane.openGroup = part.graph->groups.back().get();
    lane.openGroup->graph = part.graph;
    return ACL_SUCCESS;
}

aclError endGroup(aclrtStream handle, aclrtTaskGrp* result) {
    *result = nullptr;
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    const std::lock_guard lock(captures().mutex);
    CapturePart part;
    ACLQ_RETURN_IF_FAILED(requireCapture(*stream, part));
    CapturedGraph::Lane& lane = part.graph->lanes[part.lane];
    if (lane.openGroup == nullptr) {
        return fail(ACL_ERROR_STREAM_TASK_GROUP_STATUS,
                    text("no task group of stream %d is open; aclmdlRICaptureTaskGrpBegin comes first", stream->id));
    }
    TaskGroup* const group = std::exchange(lane.openGroup, nullptr);
    if (!part.graph->spoiledBy.empty()) {
        return fail(
            ACL_ERROR_RT_STREAM_CAPTURE_INVALIDATED,
            text("the capture of %s was broken by %s", part.graph->who().c_str(), part.graph->spoiledBy.c_str()));
    }
    if (group->error != 0) {
        return fail(group->error, text("work went to another stream of the capture of %s while the group was open",
                                       part.graph->who().c_str()));
    }
    *result = captures().groupHandles.create(group);
    return ACL_SUCCESS;
}

aclError beginUpdate(aclrtStream handle, aclrtTaskGrp groupHandle) {
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    ACLQ_RETURN_IF_FAILED(refuseWhileCapturing(*stream, "update a task group"));
    const std::lock_guard lock(captures().mutex);
    TaskGroup** const known = captures().groupHandles.find(groupHandle);
    const std::shared_ptr<CapturedGraph> graph = known != nullptr ? (*known)->graph.lock() : nullptr;
    if (graph == nullptr) {
        return failArgument(ACL_ERROR_RT_INVALID_HANDLE, "handle", text("%p", groupHandle),
                            "a task group of a graph that was not destroyed");
    }
    if (graph->capturing) {
        return fail(ACL_ERROR_RT_MODEL_CAPTURED,
                    text("the graph of the task group is still being captured, by the capture of %s; call "
                         "aclmdlRICaptureEnd first",
                         graph->who().c_str()));
    }
    if (stream->update() != nullptr) {
        return fail(
            ACL_ERROR_STREAM_TASK_GROUP_STATUS,
            text("stream %d updates a task group already; call aclmdlRICaptureTaskUpdateEnd first", stream->id));
    }
    if ((*known)->updating) {
        return fail(ACL_ERROR_STREAM_TASK_GROUP_STATUS,
                    "another stream is updating this task group; end that update first");
    }
    auto update = std::make_shared<TaskUpdate>();
    update->group = *known;
    update->graph = graph;
    update->fresh.reserve((*known)->nodes.size());
    (*known)->updating = true;
    stream->setUpdate(std::move(update));
    return ACL_SUCCESS;
}

aclError endUpdate(aclrtStream handle) {
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    std::shared_ptr<TaskUpdate> update;
    {
        const std::lock_guard lock(captures().mutex);
        update = stream->update();
        if (update == nullptr) {
            return fail(
                ACL_ERROR_STREAM_TASK_GROUP_STATUS,
                text("stream %d does not update a task group; aclmdlRICaptureTaskUpdateBegin comes first", stream->id));
        }
        stream->setUpdate(nullptr);
        update->group->updating = false;
        if (update->fresh.size() < update->group->nodes.size()) {
            return fail(ACL_ERROR_RT_INTERNAL_ERROR,
                        text("the update has launched %zu of the %zu kernels of the task group; nothing was replaced",
                             update->fresh.size(), update->group->nodes.size()));
        }
    }
    return stream->submit(std::make_unique<ReplaceTask>(std::move(update)));
}

}  // namespace aclq
