// Stand-in for CANN's header: what the definitions in op_host use, kept so that a test can look at it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace ge {
enum DataType {
    DT_FLOAT = 0,
    DT_FLOAT16 = 1,
    DT_INT8 = 2,
    DT_INT32 = 3,
    DT_UINT8 = 4,
    DT_INT64 = 9,
    DT_UINT64 = 10,
    DT_BF16 = 27,
    DT_INT4 = 29
};
enum Format { FORMAT_ND = 2 };
using graphStatus = uint32_t;
constexpr graphStatus GRAPH_SUCCESS = 0, GRAPH_FAILED = 1;
}  // namespace ge

namespace gert {

class Shape {
  public:
    Shape() {}
    explicit Shape(const std::vector<int64_t>& dims) : dims_(dims) {}
    size_t GetDimNum() const { return dims_.size(); }
    int64_t GetDim(size_t i) const { return dims_[i]; }
    void SetDimNum(size_t count) { dims_.resize(count); }
    void SetDim(size_t i, int64_t value) { dims_[i] = value; }
    int64_t GetShapeSize() const {
        int64_t size = 1;
        for (int64_t dim : dims_) {
            size *= dim;
        }
        return size;
    }

  private:
    std::vector<int64_t> dims_;
};

class StorageShape {
  public:
    StorageShape() {}
    explicit StorageShape(const Shape& shape) : shape_(shape) {}
    const Shape& GetStorageShape() const { return shape_; }

  private:
    Shape shape_;
};

class CompileTimeTensorDesc {
  public:
    explicit CompileTimeTensorDesc(ge::DataType type) : type_(type) {}
    ge::DataType GetDataType() const { return type_; }

  private:
    ge::DataType type_;
};

class RuntimeAttrs {
  public:
    const int64_t* GetInt(size_t i) const { return &ints.at(i); }
    const bool* GetBool(size_t i) const { return &bools.at(i).value; }
    const char* GetStr(size_t i) const { return strings.at(i).c_str(); }
    struct Flag {
        bool value;
    };
    std::map<size_t, int64_t> ints;
    std::map<size_t, Flag> bools;
    std::map<size_t, std::string> strings;
};

class TilingContext {
  public:
    const StorageShape* GetInputShape(size_t i) const { return given(i) ? &shapes[i] : nullptr; }
    const StorageShape* GetOptionalInputShape(size_t i) const { return GetInputShape(i); }
    const CompileTimeTensorDesc* GetInputDesc(size_t i) const { return given(i) ? &types[i] : nullptr; }
    const CompileTimeTensorDesc* GetOptionalInputDesc(size_t i) const { return GetInputDesc(i); }
    const CompileTimeTensorDesc* GetOutputDesc(size_t i) const { return &outputs[i]; }
    const RuntimeAttrs* GetAttrs() const { return &attributes; }
    const void* GetPlatformInfo() const { return platform; }
    template <class T>
    T* GetTilingData() {
        tiling.resize(sizeof(T));
        return reinterpret_cast<T*>(tiling.data());
    }
    ge::graphStatus SetBlockDim(uint32_t value) {
        blocks = value;
        return ge::GRAPH_SUCCESS;
    }
    ge::graphStatus SetTilingKey(uint64_t value) {
        key = value;
        return ge::GRAPH_SUCCESS;
    }
    size_t* GetWorkspaceSizes(size_t) { return &workspace; }

    std::vector<StorageShape> shapes;
    std::vector<bool> present;
    std::vector<CompileTimeTensorDesc> types, outputs;
    RuntimeAttrs attributes;
    const void* platform = nullptr;
    std::vector<char> tiling;
    uint32_t blocks = 0;
    uint64_t key = 0;
    size_t workspace = 0;

  private:
    bool given(size_t i) const { return i < present.size() && present[i]; }
};

class InferShapeContext {
  public:
    const Shape* GetInputShape(size_t i) const { return &inputs.at(i); }
    const Shape* GetOptionalInputShape(size_t i) const { return i < inputs.size() ? &inputs[i] : nullptr; }
    Shape* GetOutputShape(size_t i) { return &outputs[i]; }
    std::vector<Shape> inputs;
    std::map<size_t, Shape> outputs;
};

}  // namespace gert

namespace ops {

enum Option { REQUIRED, OPTIONAL };

class OpParamDef {
  public:
    OpParamDef& ParamType(Option option) {
        required = option == REQUIRED;
        return *this;
    }
    OpParamDef& DataType(std::vector<ge::DataType> list) {
        types = list;
        return *this;
    }
    OpParamDef& Format(std::vector<ge::Format> list) {
        formats = list;
        return *this;
    }
    OpParamDef& UnknownShapeFormat(std::vector<ge::Format> list) {
        formats = list;
        return *this;
    }
    OpParamDef& AutoContiguous() {
        contiguous = true;
        return *this;
    }
    std::string name;
    bool required = false, contiguous = false;
    std::vector<ge::DataType> types;
    std::vector<ge::Format> formats;
};

class OpAttrDef {
  public:
    OpAttrDef& AttrType(Option option) {
        required = option == REQUIRED;
        return *this;
    }
    OpAttrDef& Int(int64_t) { return *this; }
    OpAttrDef& Bool(bool) { return *this; }
    OpAttrDef& String(const char*) { return *this; }
    std::string name;
    bool required = false;
};

class Parameters {
  public:
    OpParamDef& Input(const char* name) { return add(inputs, name); }
    OpParamDef& Output(const char* name) { return add(outputs, name); }
    std::vector<OpParamDef> inputs, outputs;

  private:
    static OpParamDef& add(std::vector<OpParamDef>& list, const char* name) {
        list.emplace_back();
        list.back().name = name;
        return list.back();
    }
};

class OpAICoreConfig : public Parameters {
  public:
    OpAICoreConfig& DynamicCompileStaticFlag(bool) { return *this; }
    OpAICoreConfig& DynamicRankSupportFlag(bool) { return *this; }
    OpAICoreConfig& DynamicShapeSupportFlag(bool) { return *this; }
};

class OpAICoreDef {
  public:
    OpAICoreDef& AddConfig(const char* chip) {
        chips[chip] = nullptr;
        return *this;
    }
    OpAICoreDef& AddConfig(const char* chip, OpAICoreConfig& config) {
        chips[chip] = new OpAICoreConfig(config);
        return *this;
    }
    OpAICoreDef& SetTiling(ge::graphStatus (*function)(gert::TilingContext*)) {
        tiling = function;
        return *this;
    }
    std::map<std::string, OpAICoreConfig*> chips;
    ge::graphStatus (*tiling)(gert::TilingContext*) = nullptr;
};

class OpDef : public Parameters {
  public:
    explicit OpDef(const char* opName) : name(opName) {}
    OpAttrDef& Attr(const char* attribute) {
        attributes.emplace_back();
        attributes.back().name = attribute;
        return attributes.back();
    }
    OpDef& SetInferShape(ge::graphStatus (*function)(gert::InferShapeContext*)) {
        inferShape = function;
        return *this;
    }
    OpAICoreDef& AICore() { return core; }
    std::string name;
    std::vector<OpAttrDef> attributes;
    ge::graphStatus (*inferShape)(gert::InferShapeContext*) = nullptr;

  private:
    OpAICoreDef core;
};

inline std::vector<OpDef*>& definitions() {
    static std::vector<OpDef*> all;
    return all;
}
struct Registered {
    explicit Registered(OpDef* op) { definitions().push_back(op); }
};
#define OP_ADD(Name) static Registered registered##Name(new Name(#Name))

}  // namespace ops
