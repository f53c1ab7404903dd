// SPDX-License-Identifier: Apache-2.0
// Graphs and sessions: loading, adding, compiling (which only checks) and running.
#include <atomic>
#include <cstdio>
#include <mutex>
#include <utility>

#include "graph/failure.h"
#include "graph/ge.h"
#include "graph/run.h"
#include "runtime/per_process.h"

using namespace aclq::graph;

namespace ge {

struct Graph::Hidden {
    std::string name;
    std::string bytes;
    std::shared_ptr<const Model> model;
};

namespace {

// A session's graphs and the clients' allocators. Sessions are numbers to their clients.
struct State {
    std::mutex mutex;
    std::map<std::uint32_t, std::shared_ptr<const Model>> graphs;
    std::map<const void*, std::shared_ptr<Allocator>> allocators;
};

// Sessions of a parent process are unknown to its children.
struct States {
    std::mutex mutex;
    std::map<std::uint64_t, std::shared_ptr<State>> all;
};
States* makeStates() {
    return new States;
}
States& states() {
    return aclq::PerProcess<States, makeStates>::get();
}

std::shared_ptr<State> stateOf(std::uint64_t id) {
    const std::scoped_lock lock(states().mutex);
    const auto found = states().all.find(id);
    if (found == states().all.end()) {
        throw Failure("there is no session " + std::to_string(id));
    }
    return found->second;
}

std::shared_ptr<const Model> modelOf(State& state, std::uint32_t id) {
    const std::scoped_lock lock(state.mutex);
    const auto found = state.graphs.find(id);
    if (found == state.graphs.end()) {
        throw Failure("the session has no graph " + std::to_string(id));
    }
    return found->second;
}

std::shared_ptr<Allocator> allocatorOf(State& state, const void* stream) {
    const std::scoped_lock lock(state.mutex);
    const auto found = state.allocators.find(stream);
    return found != state.allocators.end() ? found->second : nullptr;
}

}  // namespace

Graph::Graph(const char* name) : hidden_(std::make_shared<Hidden>()) {
    hidden_->name = name != nullptr ? name : "";
}

Status Graph::LoadFromSerializedModelArray(const void* bytes, std::size_t size) {
    return guarded([&] {
        auto loaded = std::make_shared<Hidden>(Hidden{hidden_ ? hidden_->name : "", {}, nullptr});
        if (bytes != nullptr) {
            loaded->bytes.assign(static_cast<const char*>(bytes), size);
        }
        loaded->model = std::make_shared<const Model>(readModel(loaded->bytes));
        hidden_ = std::move(loaded);
    });
}

Status Graph::SaveToFile(const char* path) const {
    return guarded([&] {
        const std::string bytes = hidden_ ? hidden_->bytes : "";
        std::FILE* file = std::fopen(path != nullptr ? path : "", "wb");
        const bool written = file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
        if ((file != nullptr && std::fclose(file) != 0) || !written) {
            throw Failure(std::string("the graph cannot be written to '") + (path != nullptr ? path : "") + "'");
        }
    });
}

Status Graph::CopyFrom(const Graph& other) {
    return guarded([&] { hidden_ = other.hidden_ ? std::make_shared<Hidden>(*other.hidden_) : nullptr; });
}

std::vector<GNode> Graph::GetAllNodes() const {
    std::vector<GNode> nodes;
    guarded([&] {
        for (const Node& node : hidden_ && hidden_->model ? hidden_->model->nodes : std::vector<Node>()) {
            nodes.emplace_back().type_ = std::make_shared<AscendString>(node.type.c_str());
        }
    });
    return nodes;
}

Status GNode::GetType(AscendString& type) const {
    return guarded([&] { type = type_ ? *type_ : AscendString(""); });
}

Session::Session(const Options&) : id_(0) {
    static std::atomic<std::uint64_t> last{0};
    guarded([&] {
        const std::scoped_lock lock(states().mutex);
        const std::uint64_t id = ++last;
        states().all.emplace(id, std::make_shared<State>());
        id_ = id;
    });
}

Session::~Session() {
    guarded([&] {
        // The allocators are the client's code, so they are destroyed outside the lock.
        std::shared_ptr<State> ended;
        const std::scoped_lock lock(states().mutex);
        if (auto node = states().all.extract(id_)) {
            ended = std::move(node.mapped());
        }
    });
}

Status Session::AddGraph(std::uint32_t id, const Graph& graph, const Options&) {
    return guarded([&] {
        if (!graph.hidden_ || !graph.hidden_->model) {
            throw Failure("graph " + std::to_string(id) + " has not been loaded");
        }
        const std::shared_ptr<State> state = stateOf(id_);
        const std::scoped_lock lock(state->mutex);
        if (!state->graphs.emplace(id, graph.hidden_->model).second) {
            throw Failure("the session has a graph " + std::to_string(id) + " already");
        }
    });
}

Status Session::RemoveGraph(std::uint32_t id) {
    return guarded([&] {
        const std::shared_ptr<State> state = stateOf(id_);
        const std::scoped_lock lock(state->mutex);
        if (state->graphs.erase(id) == 0) {
            throw Failure("the session has no graph " + std::to_string(id));
        }
    });
}

Status Session::CompileGraph(std::uint32_t id) {
    return guarded([&] { checkNodes(*modelOf(*stateOf(id_), id)); });
}

std::shared_ptr<CompiledGraphSummary> Session::GetCompiledGraphSummary(std::uint32_t id) {
    std::shared_ptr<CompiledGraphSummary> summary;
    guarded([&] {
        modelOf(*stateOf(id_), id);
        summary = std::make_shared<CompiledGraphSummary>();
    });
    return summary;
}

Status Session::RunGraph(std::uint32_t id, const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
    return guarded([&] {
        const auto model = modelOf(*stateOf(id_), id);
        checkNodes(*model);
        Device device(nullptr, nullptr);
        deliver(run(*model, device, inputs), device, false, outputs);
        device.wait();
    });
}

Status Session::RunGraphWithStreamAsync(std::uint32_t id, void* stream, const std::vector<Tensor>& inputs,
                                        std::vector<Tensor>& outputs) {
    return guarded([&] {
        const std::shared_ptr<State> state = stateOf(id_);
        const auto model = modelOf(*state, id);
        checkNodes(*model);
        Device device(stream, allocatorOf(*state, stream));
        deliver(run(*model, device, inputs), device, true, outputs);
    });
}

Status Session::RegisterExternalAllocator(const void* stream, std::shared_ptr<Allocator> allocator) const {
    return guarded([&] {
        const std::shared_ptr<State> state = stateOf(id_);
        const std::scoped_lock lock(state->mutex);
        state->allocators[stream].swap(allocator);
    });
}

// The summary requests no such memory.
Status Session::SetGraphConstMemoryBase(std::uint32_t, const void*, std::size_t) {
    return kSuccess;
}
Status Session::UpdateGraphFeatureMemoryBase(std::uint32_t, const void*, std::size_t) {
    return kSuccess;
}
Status Session::SetGraphFixedFeatureMemoryBase(std::uint32_t, const void*, std::size_t) {
    return kSuccess;
}
Status Session::UpdateGraphRefreshableFeatureMemoryBase(std::uint32_t, const void*, std::size_t) {
    return kSuccess;
}

bool CompiledGraphSummary::IsStatic() const {
    return false;
}
Status CompiledGraphSummary::GetOutputShapes(std::vector<Shape>&) const {
    return report("results have shapes when the graph has run");
}
Status CompiledGraphSummary::GetOutputDtypes(std::vector<DataType>&) const {
    return report("results have types when the graph has run");
}

Status CompiledGraphSummary::GetConstMemorySize(std::size_t& size) const {
    size = 0;
    return kSuccess;
}

Status CompiledGraphSummary::GetFeatureMemorySize(std::size_t& size) const {
    size = 0;
    return kSuccess;
}

Status CompiledGraphSummary::GetFixedFeatureMemorySize(std::size_t& size) const {
    size = 0;
    return kSuccess;
}

Status CompiledGraphSummary::GetFeatureMemoryBaseRefreshable(bool& refreshable) const {
    refreshable = false;
    return kSuccess;
}

}  // namespace ge
