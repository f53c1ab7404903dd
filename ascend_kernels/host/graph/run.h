// SPDX-License-Identifier: Apache-2.0
// One run of a graph.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/device.h"
#include "graph/ge.h"
#include "graph/model.h"

namespace aclq::graph {

// Throws Failure with the names of nodes that cannot run.
void checkNodes(const Model& model);

// "graph node 'Add_1' (Add)"
std::string describe(const Node& node);

// The results of a checked graph, on the device or the host.
std::vector<Value> run(const Model& model, Device& device, const std::vector<ge::Tensor>& inputs);

// Returns the results to the client, in the memory of its outputs or in new memory.
void deliver(const std::vector<Value>& results, Device& device, bool toDevice, std::vector<ge::Tensor>& outputs);

}  // namespace aclq::graph
