// SPDX-License-Identifier: Apache-2.0
// The graph engine's C++ interface: a graph that runs, and thousands that are damaged. Silent, status 0, when all is
// well.
#include "graph/ge.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "acl/acl.h"

void copyGraphError(char* text, std::size_t size);
extern "C" int snprintf_s(char*, std::size_t, std::size_t, const char*, ...);
extern "C" int strcpy_s(char*, std::size_t, const char*);

namespace {

std::string lastError() {
    char text[1000];
    copyGraphError(text, sizeof text);
    return text;
}

void expect(bool condition, const char* what) {
    if (!condition) {
        std::fprintf(stderr, "not so: %s (%s)\n", what, lastError().c_str());
        std::exit(1);
    }
}

// The wire format of protocol buffers, as far as it is needed.
std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) {
        bytes += static_cast<char>(value | 0x80);
    }
    return bytes + static_cast<char>(value);
}
std::string number(unsigned field, std::uint64_t value) {
    return varint(field << 3) + varint(value);
}
std::string text(unsigned field, const std::string& value) {
    return varint(field << 3 | 2) + varint(value.size()) + value;
}

std::string attribute(const std::string& name, const std::string& value) {
    return text(10, text(1, name) + text(2, value));
}
std::string node(const std::string& name, const std::string& type, const std::vector<std::string>& inputs,
                 const std::string& attributes) {
    std::string bytes = text(1, name) + text(2, type);
    for (const std::string& input : inputs) {
        bytes += text(5, input);
    }
    return text(6, bytes + attributes);
}

// anti_quant of x, reshaped to what Shape, Const and Mul make of its shape; and x as it is.
std::string model() {
    const std::string two = text(1, number(2, 8) + text(3, number(1, 1))) + text(2, std::string("\2\0\0\0\0\0\0\0", 8));
    return text(7, node("out", "NetOutput", {"reshaped:0", "x:0"}, "") +
                       node("x", "Data", {}, attribute("index", number(3, 0))) +
                       node("scale", "Data", {}, attribute("index", number(3, 1))) +
                       node("two", "Const", {}, attribute("value", text(12, two))) +
                       node("shape", "Shape", {"x:0"}, attribute("dtype", number(3, 9))) +
                       node("half", "Div", {"shape:0", "two:0"}, "") +
                       node("full", "ConcatV2", {"half:0", "two:0", "zero:0"}, "") +
                       node("zero", "Sub", {"two:0", "two:0"}, "") +
                       node("y", "AscendAntiQuantV2", {"x:0", "scale:0", ""},
                            attribute("dst_type", number(3, 1)) + attribute("sqrt_mode", number(5, 0))) +
                       node("reshaped", "Reshape", {"y:0", "full:0"}, ""));
}

ge::Tensor tensor(void* data, std::size_t size, int dtype, std::int64_t count, ge::Placement placement) {
    ge::Tensor made;
    made.SetData(static_cast<std::uint8_t*>(data), size, [](std::uint8_t*) {});
    made.SetDataType(static_cast<ge::DataType>(dtype));
    made.SetShapeDimNum(1);
    made.SetShapeDim(0, count);
    made.SetPlacement(placement);
    return made;
}

std::int8_t values[4] = {1, 2, 3, 4};
float scale = 2;
const std::uint16_t kResults[4] = {0x4000, 0x4400, 0x4600, 0x4800};  // 2, 4, 6, 8

std::vector<ge::Tensor> hostInputs() {
    return {tensor(values, sizeof values, ACL_INT8, 4, ge::kPlacementHost),
            tensor(&scale, sizeof scale, ACL_FLOAT, 1, ge::kPlacementHost)};
}

void checkResults(const std::vector<ge::Tensor>& outputs, aclrtMemcpyKind kind) {
    std::uint16_t y[4];
    std::int8_t x[4];
    expect(outputs.size() == 2, "two results");
    expect(outputs[0].GetShapeDimNum() == 2 && outputs[0].GetShapeDim(0) == 2 && outputs[0].GetShapeDim(1) == 2,
           "shape (2, 2)");
    expect(int{outputs[0].GetDataType()} == int{ACL_FLOAT16} && int{outputs[1].GetDataType()} == int{ACL_INT8},
           "types");
    expect(aclrtMemcpy(y, sizeof y, outputs[0].GetData(), sizeof y, kind) == 0, "copy of y");
    expect(aclrtMemcpy(x, sizeof x, outputs[1].GetData(), sizeof x, kind) == 0, "copy of x");
    expect(std::memcmp(y, kResults, sizeof y) == 0 && std::memcmp(x, values, sizeof x) == 0, "values");
}

// Counts what is out.
struct Blocks : ge::Allocator {
    struct Block : ge::MemBlock {
        explicit Block(std::size_t size) {
            expect(aclrtMalloc(&address_, size, ACL_MEM_MALLOC_HUGE_FIRST) == 0, "aclrtMalloc");
        }
        ~Block() override { aclrtFree(address_); }
    };
    int out = 0;
    std::vector<std::unique_ptr<ge::MemBlock>> returned;  // used by the stream until it is waited for
    ge::MemBlock* Malloc(std::size_t size) override {
        ++out;
        return new Block(size);
    }
    void Free(ge::MemBlock* block) override {
        --out;
        returned.emplace_back(block);
    }
    ge::MemBlock* MallocAdvise(std::size_t size, void*) override { return Malloc(size); }
};

void runWell(const std::string& bytes) {
    ge::Graph graph("graph");
    expect(graph.LoadFromSerializedModelArray(bytes.data(), bytes.size()) == 0, "loaded");
    expect(graph.GetAllNodes().size() == 10, "ten nodes");
    ge::Session session({});
    std::vector<ge::Tensor> outputs;
    expect(session.RunGraph(1, {}, outputs) != 0, "no graph to run");
    expect(session.AddGraph(1, graph, {}) == 0 && session.AddGraph(1, graph, {}) != 0, "added once");
    expect(session.CompileGraph(1) == 0 && session.GetCompiledGraphSummary(1) != nullptr, "compiled");

    expect(session.RunGraph(1, hostInputs(), outputs) == 0, "run on the host");
    checkResults(outputs, ACL_MEMCPY_HOST_TO_HOST);
    expect(outputs[1].GetData() != reinterpret_cast<std::uint8_t*>(values), "a result has separate memory");

    void* stream = nullptr;
    expect(aclrtCreateStream(&stream) == 0, "aclrtCreateStream");
    const auto blocks = std::make_shared<Blocks>();
    for (const bool external : {false, true}) {
        if (external) {
            session.RegisterExternalAllocator(stream, blocks);
        }
        outputs.clear();
        expect(session.RunGraphWithStreamAsync(1, stream, hostInputs(), outputs) == 0, "run on the stream");
        expect(aclrtSynchronizeStream(stream) == 0, "aclrtSynchronizeStream");
        expect(reinterpret_cast<std::uintptr_t>(outputs[0].GetData()) % 64 == 0, "aligned");
        checkResults(outputs, ACL_MEMCPY_DEVICE_TO_HOST);
        expect(blocks->out == (external ? 2 : 0), "only the results are out");
        // Whoever takes the memory over gives it back.
        for (ge::Tensor& output : outputs) {
            output.ResetData().reset();
        }
        expect(blocks->out == 0, "nothing is out");
    }
    expect(session.RunGraph(1, {}, outputs) != 0 && lastError().find("which got 0") != std::string::npos,
           "inputs are missing");
    expect(session.RemoveGraph(1) == 0 && session.RemoveGraph(1) != 0, "removed once");
    aclrtDestroyStream(stream);
}

// Loads, and runs what can be loaded; any status is right, a crash is not.
void survive(const std::string& bytes) {
    ge::Graph graph("damaged");
    if (graph.LoadFromSerializedModelArray(bytes.data(), bytes.size()) != 0) {
        expect(!lastError().empty(), "a refusal has a sentence");
        return;
    }
    ge::Session session({});
    std::vector<ge::Tensor> outputs;
    session.AddGraph(1, graph, {});
    session.RunGraph(1, hostInputs(), outputs);
}

void damage(const std::string& bytes, int rounds) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        survive(bytes.substr(0, size));
    }
    std::mt19937 random(1);
    for (int round = 0; round < rounds; ++round) {
        std::string damaged = bytes;
        for (unsigned count = 1 + random() % 4; count > 0; --count) {
            damaged[random() % damaged.size()] = static_cast<char>(random() % 3 == 0 ? random() % 8 : random());
        }
        survive(damaged);
    }
    // Bytes that ask for a lot: sizes without memory behind them.
    const std::string wide = number(1, std::uint64_t{1} << 47);
    const std::string constant = text(1, number(2, 1) + text(3, wide)) + text(2, "1234");
    survive(text(
        7, node("c", "Const", {}, attribute("value", text(12, constant))) + node("out", "NetOutput", {"c:0"}, "")));
    survive(text(7, node("a", "Abs", {"b:0"}, "") + node("b", "Abs", {"a:0"}, "")));
}

void useWrongly() {
    ge::Graph empty;
    ge::Session session({});
    expect(session.AddGraph(1, empty, {}) != 0 && empty.GetAllNodes().empty(), "an empty graph is refused");
    expect(empty.LoadFromSerializedModelArray(nullptr, 0) != 0 && empty.SaveToFile("/nonexistent/graph") != 0,
           "nothing to load or save");
    ge::Tensor tensor;
    expect(tensor.SetShapeDim(3, 1) != 0 && tensor.SetShapeDimNum(std::size_t{1} << 60) != 0,
           "dimensions that are not there");
    expect(tensor.GetShapeDim(9) == 0 && tensor.GetData() == nullptr && tensor.ResetData() == nullptr,
           "an empty tensor");
    expect(ge::OperatorFactory::IsExistOp("Bitcast") && !ge::OperatorFactory::IsExistOp("Sort") &&
               !ge::OperatorFactory::IsExistOp(nullptr),
           "types");
    ge::Options attributes;
    const ge::Operator bitcast = ge::OperatorFactory::CreateOperator("b", "Bitcast");
    expect(bitcast.GetAllIrAttrNamesAndTypes(attributes) == 0 && attributes.count("keep_dim") == 1,
           "attributes of Bitcast");
    expect(ge::OperatorFactory::CreateOperator("s", "Sort").GetAllIrAttrNamesAndTypes(attributes) != 0,
           "no attributes of Sort");
    char room[4];
    expect(snprintf_s(room, sizeof room, 3, "%d", 123) == 3 && snprintf_s(room, sizeof room, 3, "%d", 1234) == -1 &&
               std::strcmp(room, "123") == 0,
           "snprintf_s");
    expect(strcpy_s(room, sizeof room, "abc") == 0 && strcpy_s(room, sizeof room, "abcd") != 0 && room[0] == '\0',
           "strcpy_s");
}

}  // namespace

int main() {
    expect(aclInit(nullptr) == 0 && aclrtSetDevice(0) == 0, "the device");
    expect(ge::GEInitialize({}) == 0, "GEInitialize");
    const std::string bytes = model();
    runWell(bytes);
    useWrongly();
    damage(bytes, 20000);
    expect(ge::GEFinalize() == 0, "GEFinalize");
    aclrtResetDevice(0);
    aclFinalize();
    return 0;
}
