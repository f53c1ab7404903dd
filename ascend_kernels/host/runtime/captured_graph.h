// SPDX-License-Identifier: Apache-2.0
// Captured graphs: tasks that were recorded from streams instead of being run, to be replayed as one unit.
//
// A capture has one origin stream; others join it by waiting for an event recorded inside. Each stream is a lane of the
// graph. Tasks are kept in the order in which they were recorded, which respects every event between lanes, so one
// thread replays them in that order; only a lane that waits for something outside the graph is overtaken by the others.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "acl/acl_rt.h"
#include "runtime/handle_pool.h"
#include "runtime/stream.h"

namespace aclq {

class CapturedGraph;

// Recorded kernels whose arguments may be replaced later.
struct TaskGroup {
    std::weak_ptr<CapturedGraph> graph;
    std::vector<std::size_t> nodes;
    bool updating = false;
    int error = 0;  // the reason why it cannot be ended
};

// The tasks that a stream collects between TaskUpdateBegin and TaskUpdateEnd.
struct TaskUpdate {
    TaskGroup* group = nullptr;
    std::shared_ptr<CapturedGraph> graph;
    std::vector<std::shared_ptr<Task>> fresh;
};

class CapturedGraph {
  public:
    CapturedGraph(const Stream& origin, aclmdlRICaptureMode mode, std::uint32_t id);

    struct Node {
        std::shared_ptr<Task> task;
        std::size_t lane = 0;
        std::ptrdiff_t after = -1;  // of an event wait: the record it waits for
    };
    struct Lane {
        Stream* stream = nullptr;
        std::int32_t streamId = 0;
        TaskGroup* openGroup = nullptr;
    };

    // Runs all nodes; the first error, after which the rest is skipped if `stopAtError`.
    std::optional<AsyncError> replay(bool stopAtError, const std::atomic<bool>& interrupted);
    // Called when the capture is over; the functions below read all nodes.
    void seal();
    // Whether a replay may wait for something outside the graph.
    bool mayBlock() const { return mayBlock_; }
    std::uint64_t bytes() const { return bytes_; }
    void replace(std::size_t node, std::shared_ptr<Task> task);
    // "stream 5, whose capture thread 1234 began"
    std::string who() const;
    // One line per task, in Chrome's trace format.
    std::string text() const;
    std::string json(bool verbose) const;

    Context* const context;
    const aclmdlRICaptureMode mode;
    const std::uint32_t id;
    const std::int32_t originId;            // of the stream
    const std::uint64_t beginThread;        // never reused by another thread
    const int beginTid;                     // the system's, for messages
    std::atomic<std::uint32_t> pending{0};  // replays that are queued or running

    std::atomic<bool> capturing{true};
    // Guarded by Captures::mutex.
    std::string spoiledBy;  // the call and its thread; empty if not spoiled
    std::vector<Lane> lanes;
    std::vector<Node> nodes;  // does not grow after the capture
    std::vector<std::unique_ptr<TaskGroup>> groups;
    bool waitsForNothing = false;  // waits for an event that the capture has not recorded
    void* handle = nullptr;

  private:
    mutable std::mutex tasks_;  // guards the tasks of the nodes between replays and updates
    std::mutex turn_;           // one replay at a time, as on a card
    bool mayBlock_ = false;
    std::uint64_t bytes_ = 0;
};

struct GraphHandle {
    std::shared_ptr<CapturedGraph> graph;
};

// All captures of the process.
struct Captures {
    std::mutex mutex;
    std::vector<std::shared_ptr<CapturedGraph>> running;
    std::atomic<std::size_t> count{0};  // of running captures, readable without the lock
    HandlePool<GraphHandle> handles;
    HandlePool<TaskGroup*> groupHandles;
    std::atomic<std::uint32_t> nextId{0};
};

// Called by streams.
aclError recordTask(const CapturePart& part, std::unique_ptr<Task> task);
aclError replaceTask(TaskUpdate& update, std::unique_ptr<Task> task);

// Called by events; the number of the node is written to `node`.
aclError recordNode(const CapturePart& part, std::shared_ptr<Task> task, std::ptrdiff_t after, std::size_t* node);
// Makes the stream a lane of the graph.
aclError joinCapture(Stream& stream, const std::shared_ptr<CapturedGraph>& graph);
// Its end is refused: it waits for an event without a record.
void noteWaitForNothing(CapturedGraph& graph);

// The refusals.
aclError refuseWhileCapturing(const Stream& stream, const char* what);
// For calls that run at once and are unsafe during captures: synchronous copies and fills.
aclError checkCaptureMode(const Context& context, int code, const char* what);
aclError refuseDeviceWhileCapturing(const Context& context);
// Ends the captures of a stream that is destroyed, without an error.
void dropCaptures(Stream& stream);

// The interface: the functions of acl_rt.h, after their null checks.
aclError beginCapture(aclrtStream stream, aclmdlRICaptureMode mode);
aclError captureInfo(aclrtStream stream, aclmdlRICaptureStatus* status, aclmdlRI* graph);
aclError endCapture(aclrtStream stream, aclmdlRI* graph);
aclError exchangeCaptureMode(aclmdlRICaptureMode* mode);
aclError executeGraph(aclmdlRI graph, aclrtStream stream);
aclError executeGraphAndWait(aclmdlRI graph, std::int32_t timeoutMs);
aclError destroyGraph(aclmdlRI graph);
aclError findGraph(aclmdlRI handle, std::shared_ptr<CapturedGraph>& graph);
aclError beginGroup(aclrtStream stream);
aclError endGroup(aclrtStream stream, aclrtTaskGrp* group);
aclError beginUpdate(aclrtStream stream, aclrtTaskGrp group);
aclError endUpdate(aclrtStream stream);

// The system's number of this thread, for messages.
int threadNumber();

}  // namespace aclq
