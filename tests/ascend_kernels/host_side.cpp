// Looks at the operators' definitions and runs their tiling functions against the stand-in for CANN's headers. C++11.
//   host_side columns                                   "op chip types-of-inputs types-of-outputs", a line for each
//   column host_side tile OP CHIP CORES LOCAL INPUTS ATTRS     key, blocks, workspace and the tiling's bytes in hex
// INPUTS: type:dims separated by commas, "-" for an absent one, the first output behind "->". ATTRS: index=value,
// separated by commas.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "register/op_def_registry.h"
#include "tiling/platform/platform_ascendc.h"

static std::vector<std::string> split(const std::string& text, char by) {
    std::vector<std::string> parts;
    std::stringstream stream(text);
    std::string part;
    while (std::getline(stream, part, by)) {
        parts.push_back(part);
    }
    return parts;
}

static void print(const ops::OpDef& op, const std::string& chip, const ops::Parameters& parameters) {
    const size_t columns = parameters.inputs[0].types.size();
    for (size_t column = 0; column < columns; ++column) {
        std::string text;
        for (const std::vector<ops::OpParamDef>* list : {&parameters.inputs, &parameters.outputs}) {
            text += " ";
            for (const ops::OpParamDef& parameter : *list) {
                if (parameter.types.size() != columns || parameter.formats.size() != columns) {
                    std::exit(2);  // columns of different length
                }
                text += parameter.name + (parameter.required ? "" : "?") + ":" +
                        std::to_string(parameter.types[column]) + ",";
            }
        }
        std::printf("%s %s%s\n", op.name.c_str(), chip.c_str(), text.c_str());
    }
}

static const ops::Parameters& of(ops::OpDef& op, const std::string& chip) {
    const ops::OpAICoreConfig* config = op.AICore().chips.at(chip);
    if (config != nullptr) {
        return *config;
    }
    return op;
}

int main(int count, char** words) {
    if (count == 2) {
        for (ops::OpDef* op : ops::definitions()) {
            for (const auto& chip : op->AICore().chips) {
                print(*op, chip.first, of(*op, chip.first));
            }
        }
        return 0;
    }
    gert::TilingContext context;
    const platform_ascendc::Platform platform = {
        static_cast<uint32_t>(std::atoi(words[4])), static_cast<uint64_t>(std::atoll(words[5])),
        std::string(words[3]) == "ascend310p" ? platform_ascendc::SocVersion::ASCEND310P
                                              : platform_ascendc::SocVersion::ASCEND910B};
    context.platform = &platform;
    bool output = false;
    for (const std::string& word : split(words[6], ';')) {
        if (word == "->") {
            output = true;
            continue;
        }
        const std::vector<std::string> parts = split(word, ':');
        const gert::CompileTimeTensorDesc type(static_cast<ge::DataType>(std::atoi(parts[0].c_str())));
        if (output) {
            context.outputs.push_back(type);
            continue;
        }
        std::vector<int64_t> dims;
        for (const std::string& dim : parts.size() > 1 ? split(parts[1], ',') : std::vector<std::string>()) {
            dims.push_back(std::atoll(dim.c_str()));
        }
        context.present.push_back(word != "-");
        context.shapes.push_back(gert::StorageShape(gert::Shape(dims)));
        context.types.push_back(type);
    }
    for (const std::string& word : split(count > 7 ? words[7] : "", ',')) {
        const std::vector<std::string> parts = split(word, '=');
        const size_t index = static_cast<size_t>(std::atoi(parts[0].c_str()));
        context.attributes.ints[index] = std::atoll(parts[1].c_str());
        context.attributes.bools[index] = gert::RuntimeAttrs::Flag{parts[1] == "1"};
        context.attributes.strings[index] = parts[1];
    }
    for (ops::OpDef* op : ops::definitions()) {
        if (op->name == words[2]) {
            if (op->AICore().tiling(&context) != ge::GRAPH_SUCCESS) {
                std::printf("refused\n");
                return 0;
            }
            std::printf("%llu %u %zu ", static_cast<unsigned long long>(context.key), context.blocks,
                        context.workspace);
            for (const char byte : context.tiling) {
                std::printf("%02x", static_cast<unsigned char>(byte));
            }
            std::printf("\n");
        }
    }
    return 0;
}
