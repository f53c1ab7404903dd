// SPDX-License-Identifier: Apache-2.0
// The part of the graph engine's C++ interface that torchair binds. Names, arguments and layouts of the classes are a
// binary interface. Each class is one pointer to its implementation, except Session (a number) and Operator (virtual).
// An independent description; it copies no text of CANN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#define GE_API __attribute__((visibility("default")))

namespace ge {

using Status = std::uint32_t;  // 0: success

// Numbers of aclDataType and aclFormat.
enum DataType : int { DT_FLOAT = 0, DT_UNDEFINED = 28 };
enum Format : int { FORMAT_ND = 2 };
enum Placement : int { kPlacementHost = 0, kPlacementDevice = 1 };

class AscendString {
  public:
    AscendString() = default;
    GE_API AscendString(const char* text);

    GE_API const char* GetString() const;
    GE_API bool operator<(const AscendString& other) const;
    GE_API bool operator==(const AscendString& other) const;

  private:
    std::shared_ptr<std::string> text_;
};

using Options = std::map<AscendString, AscendString>;

class Shape {
  public:
    Shape() = default;
    GE_API explicit Shape(const std::vector<std::int64_t>& dims);

    GE_API std::vector<std::int64_t> GetDims() const;

  private:
    struct Hidden;
    std::shared_ptr<Hidden> hidden_;
};

class TensorDesc {
  public:
    GE_API TensorDesc();

    GE_API void SetDataType(DataType dtype);
    GE_API void SetFormat(Format format);
    GE_API void SetOriginFormat(Format format);
    GE_API void SetOriginShape(const Shape& shape);
    GE_API void SetPlacement(Placement placement);
    GE_API DataType GetDataType() const;
    GE_API Format GetFormat() const;
    GE_API Placement GetPlacement() const;
    GE_API Shape GetShape() const;

  private:
    friend class Tensor;
    struct Hidden;
    std::shared_ptr<Hidden> hidden_;
};

class Tensor {
  public:
    using DeleteFunc = std::function<void(std::uint8_t*)>;

    GE_API Tensor();

    GE_API TensorDesc GetTensorDesc() const;
    GE_API Status SetTensorDesc(const TensorDesc& description);

    GE_API const std::uint8_t* GetData() const;
    GE_API std::uint8_t* GetData();
    GE_API Status SetData(std::uint8_t* data, std::size_t size, const DeleteFunc& release);
    GE_API Status ResetData(std::uint8_t* data, std::size_t size, const DeleteFunc& release);
    // Passes ownership of the memory.
    GE_API std::unique_ptr<std::uint8_t[], DeleteFunc> ResetData();
    GE_API std::size_t GetSize() const;

    GE_API std::size_t GetShapeDimNum() const;
    GE_API std::int64_t GetShapeDim(std::size_t index) const;
    GE_API Status SetShapeDimNum(std::size_t count);
    GE_API Status SetShapeDim(std::size_t index, std::int64_t size);
    GE_API std::size_t GetOriginShapeDimNum() const;
    GE_API Status SetOriginShapeDimNum(std::size_t count);
    GE_API Status SetOriginShapeDim(std::size_t index, std::int64_t size);

    GE_API DataType GetDataType() const;
    GE_API Format GetFormat() const;
    GE_API Placement GetPlacement() const;
    GE_API Status SetDataType(const DataType& dtype);
    GE_API Status SetFormat(const Format& format);
    GE_API Status SetPlacement(const Placement& placement);

  private:
    struct Hidden;
    std::shared_ptr<Hidden> hidden_;
};

class GNode {
  public:
    GE_API Status GetType(AscendString& type) const;

  private:
    friend class Graph;
    std::shared_ptr<AscendString> type_;
};

class Graph {
  public:
    Graph() = default;
    GE_API explicit Graph(const char* name);

    // The bytes of a serialised ge.proto.ModelDef.
    GE_API Status LoadFromSerializedModelArray(const void* bytes, std::size_t size);
    GE_API Status SaveToFile(const char* path) const;
    GE_API Status CopyFrom(const Graph& other);
    GE_API std::vector<GNode> GetAllNodes() const;

  private:
    friend class Session;
    struct Hidden;
    std::shared_ptr<Hidden> hidden_;
};

class Operator {
  public:
    virtual ~Operator() = default;

    GE_API Status UpdateInputDesc(const char* name, const TensorDesc& description);
    GE_API Status GetAllIrAttrNamesAndTypes(Options& attributes) const;

  private:
    friend class OperatorFactory;
    std::shared_ptr<std::string> type_;
};

class OperatorFactory {
  public:
    GE_API static Operator CreateOperator(const char* name, const char* type);
    // Whether a graph may contain nodes of this type.
    GE_API static bool IsExistOp(const char* type);
};

// Device memory that the client manages, in the order of one stream.
class Allocator;

class MemBlock {
  public:
    virtual ~MemBlock() = default;
    void* address() const { return address_; }

  protected:
    Allocator* allocator_ = nullptr;
    void* address_ = nullptr;
    std::size_t references_ = 1;
    std::size_t size_ = 0;
};

class Allocator {
  public:
    virtual ~Allocator() = default;
    virtual MemBlock* Malloc(std::size_t size) = 0;
    virtual void Free(MemBlock* block) = 0;
    virtual MemBlock* MallocAdvise(std::size_t size, void* address) = 0;
};

class CompiledGraphSummary {
  public:
    // False: shapes and types of the results are known only after the graph has run.
    GE_API bool IsStatic() const;
    GE_API Status GetOutputShapes(std::vector<Shape>& shapes) const;
    GE_API Status GetOutputDtypes(std::vector<DataType>& dtypes) const;
    // Memory that the client has to provide: 0.
    GE_API Status GetConstMemorySize(std::size_t& size) const;
    GE_API Status GetFeatureMemorySize(std::size_t& size) const;
    GE_API Status GetFixedFeatureMemorySize(std::size_t& size) const;
    GE_API Status GetFeatureMemoryBaseRefreshable(bool& refreshable) const;
};

class Session {
  public:
    GE_API explicit Session(const Options& options);
    GE_API ~Session();

    GE_API Status AddGraph(std::uint32_t id, const Graph& graph, const Options& options);
    GE_API Status RemoveGraph(std::uint32_t id);
    GE_API Status CompileGraph(std::uint32_t id);
    GE_API std::shared_ptr<CompiledGraphSummary> GetCompiledGraphSummary(std::uint32_t id);

    // Empty outputs are filled in; outputs with memory are written to.
    GE_API Status RunGraph(std::uint32_t id, const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs);
    // The same, in the order of a stream; returns before the work is done.
    GE_API Status RunGraphWithStreamAsync(std::uint32_t id, void* stream, const std::vector<Tensor>& inputs,
                                          std::vector<Tensor>& outputs);
    GE_API Status RegisterExternalAllocator(const void* stream, std::shared_ptr<Allocator> allocator) const;

    // Memory for constants and intermediate results, which a run takes from the allocator instead.
    GE_API Status SetGraphConstMemoryBase(std::uint32_t id, const void* memory, std::size_t size);
    GE_API Status UpdateGraphFeatureMemoryBase(std::uint32_t id, const void* memory, std::size_t size);
    GE_API Status SetGraphFixedFeatureMemoryBase(std::uint32_t id, const void* memory, std::size_t size);
    GE_API Status UpdateGraphRefreshableFeatureMemoryBase(std::uint32_t id, const void* memory, std::size_t size);

  private:
    std::uint64_t id_;
};

GE_API Status GEInitialize(const Options& options);
GE_API Status GEFinalize();
// The last failure of this thread. The only function with the string type of the ABI before C++11.
GE_API std::string GEGetErrorMsg();
GE_API AscendString GEGetWarningMsgV2();
GE_API const char* GetFormatName(Format format);

// Models read from ONNX and compiled offline, as ONNX Runtime's provider does. All are refused.
struct ModelBufferData {
    std::shared_ptr<std::uint8_t> data;
    std::uint64_t length = 0;
};
GE_API Status aclgrphBuildInitialize(Options& options);
GE_API void aclgrphBuildFinalize();
GE_API Status aclgrphBuildModel(const Graph& graph, const Options& options, ModelBufferData& model);
GE_API Status aclgrphSaveModel(const char* path, const ModelBufferData& model);
GE_API Status aclgrphParseONNXFromMem(const char* buffer, std::size_t size, const Options& options, Graph& graph);

}  // namespace ge
