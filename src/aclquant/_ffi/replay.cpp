// SPDX-License-Identifier: Apache-2.0
// aclquant._ffi._replay: recognises "the same call as before" and launches it from its record, in one step from Python.
// It decides nothing: it answers None for a call that it does not recognise, which then takes the long way in Python
// (aclquant/kept.py makes the records and is the home of the rules). Stable ABI of Python 3.10, NumPy's C API.
//
// Python up to 3.13 ends a daemon thread that wants the interpreter's lock after the end of the program: by unwinding
// its stack, wherever Python code may run. So this file is compiled without exceptions (no destructor runs then,
// without the lock), and nothing that has to be released lives across such a place but Python's own references.
#define PY_SSIZE_T_CLEAN
#define NPY_NO_DEPRECATED_API NPY_1_23_API_VERSION
#define NPY_TARGET_VERSION NPY_1_23_API_VERSION
#include <Python.h>
#include <numpy/arrayobject.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "aclquant/launch.h"

namespace {

using Run = decltype(&aclquantRunLaunch);

constexpr std::size_t kMost = sizeof(aclquantLaunch::tensors) / sizeof(aclquantLaunchTensor);
constexpr std::size_t kMostDimensions = 8;
constexpr std::size_t kMostArguments = 16;
// Whole numbers up to here are the same in double, int64 and on the way to float.
constexpr long long kLargestInteger = 1ll << 53;

// A reference that is given back.
class Object {
  public:
    Object() = default;
    explicit Object(PyObject* owned) : object_(owned) {}
    static Object borrowed(PyObject* object) {
        Py_XINCREF(object);
        return Object(object);
    }
    Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Object& operator=(Object&& other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Object() { Py_XDECREF(object_); }

    PyObject* get() const { return object_; }
    PyArrayObject* array() const { return reinterpret_cast<PyArrayObject*>(object_); }
    PyObject* release() { return std::exchange(object_, nullptr); }
    explicit operator bool() const { return object_ != nullptr; }

  private:
    PyObject* object_ = nullptr;
};

// The properties that an array must have.
struct Look {
    Object dtype;
    std::size_t dimensions = 0;
    npy_intp shape[kMostDimensions] = {};

    PyArray_Descr* descr() const { return reinterpret_cast<PyArray_Descr*>(dtype.get()); }

    bool fits(PyObject* value) const {
        if (Py_TYPE(value) != &PyArray_Type) {
            return false;
        }
        auto* array = reinterpret_cast<PyArrayObject*>(value);
        return PyArray_CHKFLAGS(array, NPY_ARRAY_CARRAY_RO) &&
               static_cast<std::size_t>(PyArray_NDIM(array)) == dimensions &&
               std::memcmp(PyArray_DIMS(array), shape, dimensions * sizeof(npy_intp)) == 0 &&
               (PyArray_DESCR(array) == descr() || PyArray_EquivTypes(PyArray_DESCR(array), descr()));
    }

    PyObject* make() const {
        Py_INCREF(dtype.get());
        return PyArray_NewFromDescr(&PyArray_Type, descr(), static_cast<int>(dimensions), shape, nullptr, nullptr, 0,
                                    nullptr);
    }
};

// A Python number as an element; nothing for what is not simply converted.
std::optional<double> number(PyObject* value, bool& fraction) {
    if (Py_TYPE(value) == &PyFloat_Type) {
        fraction = true;
        return PyFloat_AsDouble(value);
    }
    if (Py_TYPE(value) != &PyLong_Type) {
        return std::nullopt;
    }
    int overflow = 0;
    const long long whole = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0 || whole > kLargestInteger || whole < -kLargestInteger) {
        return std::nullopt;
    }
    return static_cast<double>(whole);
}

// Rounded to nearest, ties to even, as NumPy does.
std::uint16_t float16(double value) {
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
    const double magnitude = std::fabs(value);
    if (std::isnan(value)) {
        return sign | 0x7E00;
    }
    if (magnitude >= 65520) {  // halfway between the largest number and the next power of two
        return sign | 0x7C00;
    }
    const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
    const auto significand = static_cast<unsigned>(std::nearbyint(std::scalbn(magnitude, 10 - exponent)));
    return static_cast<std::uint16_t>(sign | ((static_cast<unsigned>(exponent + 14) << 10) + significand));
}

// ... as ml_dtypes does.
std::uint16_t bfloat16(float value) {
    if (std::isnan(value)) {
        return std::signbit(value) ? 0xFFC0 : 0x7FC0;
    }
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// A number, or a list or tuple of them. Another value of the same Python type is converted as the first one was. The
// elements are written to memory of the call in flight: other calls may come in between (signal handlers, finalisers).
struct Numbers {
    enum class Element { Float32, Float16, BFloat16, Int32 } element = Element::Float32;
    Object type;            // of the argument
    bool fraction = false;  // whether there was a float among them, on which the type of the array may depend
    std::size_t size = 0;

    // As much as the widest element needs, so that the next numbers are aligned.
    std::size_t bytes() const { return size * sizeof(float); }

    bool named(const char* name) {
        constexpr std::pair<const char*, Element> kNames[] = {{"float32", Element::Float32},
                                                              {"float16", Element::Float16},
                                                              {"bfloat16", Element::BFloat16},
                                                              {"int32", Element::Int32}};
        for (const auto& [known, kind] : kNames) {
            if (std::strcmp(known, name) == 0) {
                element = kind;
                return true;
            }
        }
        return false;
    }

    bool write(PyObject* value, void* elements) const {
        auto* const given = reinterpret_cast<PyObject*>(Py_TYPE(value));
        if (given != type.get()) {
            return false;
        }
        bool fractions = false;
        if (Py_TYPE(value) == &PyFloat32ArrType_Type || Py_TYPE(value) == &PyDoubleArrType_Type) {
            return store(elements, 0, PyFloat_AsDouble(value)) && fraction;
        }
        if (Py_TYPE(value) != &PyList_Type && Py_TYPE(value) != &PyTuple_Type) {
            const std::optional<double> only = number(value, fractions);
            return only && fractions == fraction && store(elements, 0, *only);
        }
        const bool list = Py_TYPE(value) == &PyList_Type;
        const Py_ssize_t count = list ? PyList_Size(value) : PyTuple_Size(value);
        if (static_cast<std::size_t>(count) != size) {
            return false;
        }
        for (Py_ssize_t index = 0; index < count; ++index) {
            const std::optional<double> next =
                number(list ? PyList_GetItem(value, index) : PyTuple_GetItem(value, index), fractions);
            if (!next || !store(elements, static_cast<std::size_t>(index), *next)) {
                return false;
            }
        }
        return fractions == fraction;
    }

  private:
    bool store(void* elements, std::size_t index, double value) const {
        switch (element) {
            case Element::Float32:
                static_cast<float*>(elements)[index] = static_cast<float>(value);
                return true;
            case Element::Float16:
                static_cast<std::uint16_t*>(elements)[index] = float16(value);
                return true;
            case Element::BFloat16:
                static_cast<std::uint16_t*>(elements)[index] = bfloat16(static_cast<float>(value));
                return true;
            default:
                if (!(value >= INT32_MIN && value <= INT32_MAX)) {
                    return false;
                }
                static_cast<npy_int32*>(elements)[index] = static_cast<npy_int32>(value);
                return true;
        }
    }
};

// An argument of the call that is launched again.
struct Argument {
    enum class Kind { Same, Array, Numbers, Fixed } kind = Kind::Same;
    std::size_t tensor = 0;  // its place among the record's tensors
    Look look;
    Numbers numbers;
    Object object;  // Same: the value; Fixed: the array
};

// A recorded call. Python object without cycles: it refers to the Prepared that owns the record.
struct Replay {
    PyObject_HEAD Object owner;
    Object operation;  // None for a plan
    aclquantLaunch* record;
    Run run;
    std::size_t argumentCount;
    std::size_t resultCount;
    std::size_t numberBytes;  // of all numbers of one call
    Argument arguments[kMostArguments];
    Look results[kMost];
    std::size_t resultTensors[kMost];
};

// One call in flight: addresses, results, and its own copy of the numbers. Trivial, so that nothing is left to do if
// the thread ends while it waits; finish() gives everything back.
struct Flight {
    Replay* call;
    void* addresses[kMost];
    PyObject* results[kMost];
    void* large;  // the numbers, where there are too many for this object
    alignas(std::max_align_t) unsigned char small[512];

    void* numbers() { return large != nullptr ? large : small; }

    bool begin(Replay& replay) {
        call = &replay;
        Py_INCREF(reinterpret_cast<PyObject*>(call));
        std::memset(addresses, 0, sizeof addresses);
        std::memset(results, 0, sizeof results);
        large = replay.numberBytes > sizeof small ? PyMem_Malloc(replay.numberBytes) : nullptr;
        return replay.numberBytes <= sizeof small || large != nullptr;
    }

    // The results, or nothing if the long way has to be taken.
    PyObject* finish(bool good, PyObject* out) {
        PyObject* answer = nullptr;
        const std::size_t count = call->resultCount;
        if (good && out != Py_None) {
            answer = Object::borrowed(out).release();
        } else if (good && count == 1) {
            answer = std::exchange(results[0], nullptr);
        } else if (good) {
            answer = PyTuple_New(static_cast<Py_ssize_t>(count));
            for (std::size_t index = 0; answer != nullptr && index < count; ++index) {
                PyTuple_SetItem(answer, static_cast<Py_ssize_t>(index), std::exchange(results[index], nullptr));
            }
        }
        for (PyObject* const result : results) {
            Py_XDECREF(result);
        }
        PyMem_Free(large);
        Py_DECREF(reinterpret_cast<PyObject*>(call));
        return answer;
    }
};

PyObject* replayType = nullptr;
PyObject* threadLocal = nullptr;  // aclquant.thread_state.local
PyObject* nameState = nullptr;
PyObject* nameBlocks = nullptr;
PyObject* nameReplays = nullptr;

Replay* asReplay(PyObject* object) {
    return reinterpret_cast<Replay*>(object);
}

// Whether a value is what it was: equal is not enough, as 1, 1.0 and True are equal, and 0.0 and -0.0.
bool same(PyObject* a, PyObject* b) {
    if (a == b) {
        return true;
    }
    if (Py_TYPE(a) != Py_TYPE(b)) {
        return false;
    }
    if (Py_TYPE(a) == &PyFloat_Type) {
        const double values[] = {PyFloat_AsDouble(a), PyFloat_AsDouble(b)};
        return std::memcmp(&values[0], &values[1], sizeof(double)) == 0;
    }
    if (Py_TYPE(a) == &PyTuple_Type) {
        const Py_ssize_t size = PyTuple_Size(a);
        bool equal = size == PyTuple_Size(b);
        for (Py_ssize_t index = 0; equal && index < size; ++index) {
            equal = same(PyTuple_GetItem(a, index), PyTuple_GetItem(b, index));
        }
        return equal;
    }
    // Comparing anything else might run Python code; two equal ones that are not the same take the long way.
    const bool plain = Py_TYPE(a) == &PyLong_Type || Py_TYPE(a) == &PyUnicode_Type || Py_TYPE(a) == &PyBytes_Type;
    return plain && PyObject_RichCompareBool(a, b, Py_EQ) == 1;
}

// Collects addresses and results; false (without an exception): the long way has to be taken.
// `given` answers the argument of that position among those that are given.
template <class Given>
bool gather(Flight& flight, std::size_t count, Given&& given, PyObject* out) {
    const Replay& call = *flight.call;
    auto* elements = static_cast<unsigned char*>(flight.numbers());
    std::size_t taken = 0;
    for (std::size_t index = 0; index < call.argumentCount; ++index) {
        const Argument& argument = call.arguments[index];
        if (argument.kind == Argument::Kind::Fixed) {
            flight.addresses[argument.tensor] = PyArray_DATA(argument.object.array());
            continue;
        }
        if (taken == count) {
            return false;
        }
        PyObject* const value = given(taken++);
        switch (argument.kind) {
            case Argument::Kind::Array:
                if (!argument.look.fits(value)) {
                    return false;
                }
                flight.addresses[argument.tensor] = PyArray_DATA(reinterpret_cast<PyArrayObject*>(value));
                break;
            case Argument::Kind::Numbers:
                if (!argument.numbers.write(value, elements)) {
                    return false;
                }
                flight.addresses[argument.tensor] = elements;
                elements += argument.numbers.bytes();
                break;
            default:
                if (!same(argument.object.get(), value)) {
                    return false;
                }
        }
    }
    const std::size_t size = call.resultCount;
    const bool many = size != 1;
    if (taken != count || (out != Py_None && many &&
                           (Py_TYPE(out) != &PyTuple_Type || static_cast<std::size_t>(PyTuple_Size(out)) != size))) {
        return false;
    }
    for (std::size_t index = 0; index < size; ++index) {
        const Look& look = call.results[index];
        if (out == Py_None) {
            flight.results[index] = look.make();
            if (flight.results[index] == nullptr) {
                return false;
            }
        } else {
            PyObject* const result = many ? PyTuple_GetItem(out, static_cast<Py_ssize_t>(index)) : out;
            if (!look.fits(result) ||
                PyArray_FailUnlessWriteable(reinterpret_cast<PyArrayObject*>(result), "out") != 0) {
                return false;
            }
            flight.results[index] = Object::borrowed(result).release();
        }
        flight.addresses[call.resultTensors[index]] =
            PyArray_DATA(reinterpret_cast<PyArrayObject*>(flight.results[index]));
    }
    return true;
}

static_assert(std::is_trivial_v<Flight>);

// The results, or nothing, with or without an exception: the long way has to be taken.
template <class Given>
PyObject* launch(Replay& call, std::size_t count, Given&& given, PyObject* out) {
    Flight flight;
    bool good = flight.begin(call) && gather(flight, count, given, out);
    if (good) {
        void* const* const a = flight.addresses;
        // Waiting for the stream may take long, and the work on it may need Python.
        Py_BEGIN_ALLOW_THREADS;
        good = call.run(call.record, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]) == 0;
        Py_END_ALLOW_THREADS;
    }
    return flight.finish(good, out);
}

// The results of a call that was made before, or nothing, with or without an exception.
PyObject* find(PyObject* operation, PyObject* const* values, std::size_t count, PyObject* out) {
    const Object state(PyObject_GetAttr(threadLocal, nameState));
    const Object blocks(state ? PyObject_GetAttr(state.get(), nameBlocks) : nullptr);
    if (!blocks || PyObject_IsTrue(blocks.get()) != 0) {
        return nullptr;
    }
    const Object replays(PyObject_GetAttr(state.get(), nameReplays));
    if (!replays || !PyList_Check(replays.get())) {
        return nullptr;
    }
    const auto given = [values](std::size_t index) { return values[index]; };
    for (Py_ssize_t index = 0; index < PyList_Size(replays.get()); ++index) {
        const Object entry = Object::borrowed(PyList_GetItem(replays.get(), index));
        if (Py_TYPE(entry.get()) != reinterpret_cast<PyTypeObject*>(replayType)) {
            continue;
        }
        Replay& call = *asReplay(entry.get());
        if (call.operation.get() != operation) {
            continue;
        }
        PyObject* const result = launch(call, count, given, out);
        if (result != nullptr || PyErr_Occurred() != nullptr) {
            return result;
        }
    }
    return nullptr;
}

PyObject* again(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count < 4 || threadLocal == nullptr) {
        PyErr_SetString(PyExc_TypeError, "again(operation, *values, out, stream, device), after install()");
        return nullptr;
    }
    PyObject* const* const added = arguments + count - 3;  // out, stream, device
    if (added[1] == Py_None && added[2] == Py_None) {
        if (PyObject* const found = find(arguments[0], arguments + 1, static_cast<std::size_t>(count - 4), added[0])) {
            return found;
        }
        PyErr_Clear();  // the long way meets the same error, and explains it
    }
    Py_RETURN_NONE;
}

PyObject* install(PyObject*, PyObject* state) {
    Object old(std::exchange(threadLocal, Object::borrowed(state).release()));
    Py_RETURN_NONE;
}

PyObject* runReplay(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "run(*arguments, out)");
        return nullptr;
    }
    const auto given = [arguments](std::size_t index) { return arguments[index]; };
    PyObject* const result = launch(*asReplay(self), static_cast<std::size_t>(count - 1), given, arguments[count - 1]);
    if (result != nullptr) {
        return result;
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

bool fail(PyObject* type, const char* text) {
    PyErr_SetString(type, text);
    return false;
}

bool readLook(PyObject* shape, PyObject* dtype, Look& look) {
    look.dimensions = static_cast<std::size_t>(PyTuple_Size(shape));
    if (look.dimensions > kMostDimensions) {
        return fail(PyExc_ValueError, "too many dimensions");
    }
    for (std::size_t index = 0; index < look.dimensions; ++index) {
        look.shape[index] = PyLong_AsSsize_t(PyTuple_GetItem(shape, static_cast<Py_ssize_t>(index)));
    }
    look.dtype = Object::borrowed(dtype);
    return PyErr_Occurred() == nullptr;
}

bool isArray(PyObject* value, int flags) {
    return PyArray_CheckExact(value) && PyArray_CHKFLAGS(reinterpret_cast<PyArrayObject*>(value), flags);
}

// ("same", value), ("array", tensor, shape, dtype), ("numbers", tensor, type, whether fractions, name of the dtype,
// count), or ("fixed", tensor, array).
bool readArgument(PyObject* value, Argument& argument) {
    const char* kind = nullptr;
    PyObject* one = nullptr;
    PyObject* two = nullptr;
    PyObject* three = nullptr;
    const char* name = nullptr;
    Py_ssize_t size = 0;
    if (!PyTuple_Check(value) || !PyArg_ParseTuple(value, "sO|OOsn", &kind, &one, &two, &three, &name, &size)) {
        return fail(PyExc_TypeError, "an argument is a tuple that begins with its kind");
    }
    if (std::strcmp(kind, "same") == 0) {
        argument.object = Object::borrowed(one);
        return true;
    }
    argument.tensor = PyLong_AsSize_t(one);
    if (PyErr_Occurred() != nullptr || argument.tensor >= kMost) {
        return fail(PyExc_ValueError, "no such tensor");
    }
    if (std::strcmp(kind, "array") == 0 && three != nullptr && PyTuple_Check(two) && PyArray_DescrCheck(three)) {
        argument.kind = Argument::Kind::Array;
        return readLook(two, three, argument.look);
    }
    if (std::strcmp(kind, "fixed") == 0 && two != nullptr && isArray(two, NPY_ARRAY_CARRAY_RO)) {
        argument.kind = Argument::Kind::Fixed;
        argument.object = Object::borrowed(two);
        return true;
    }
    if (std::strcmp(kind, "numbers") == 0 && name != nullptr && size > 0 && argument.numbers.named(name)) {
        argument.kind = Argument::Kind::Numbers;
        argument.numbers.type = Object::borrowed(two);
        argument.numbers.fraction = PyObject_IsTrue(three) == 1;
        argument.numbers.size = static_cast<std::size_t>(size);
        return true;
    }
    return fail(PyExc_TypeError, "not an argument that can be repeated");
}

bool readAll(Replay& call, PyObject* inputs, PyObject* results) {
    call.argumentCount = static_cast<std::size_t>(PyTuple_Size(inputs));
    call.resultCount = static_cast<std::size_t>(PyTuple_Size(results));
    if (call.argumentCount > kMostArguments || call.resultCount == 0 || call.resultCount > kMost) {
        return fail(PyExc_ValueError, "too many arguments, or no result");
    }
    std::size_t tensors = call.resultCount;
    for (std::size_t index = 0; index < call.argumentCount; ++index) {
        Argument& argument = call.arguments[index];
        if (!readArgument(PyTuple_GetItem(inputs, static_cast<Py_ssize_t>(index)), argument)) {
            return false;
        }
        tensors += argument.kind == Argument::Kind::Same ? 0 : 1;
        call.numberBytes += argument.kind == Argument::Kind::Numbers ? argument.numbers.bytes() : 0;
    }
    for (std::size_t index = 0; index < call.resultCount; ++index) {
        Argument result;
        if (!readArgument(PyTuple_GetItem(results, static_cast<Py_ssize_t>(index)), result)) {
            return false;
        }
        if (result.kind != Argument::Kind::Array) {
            return fail(PyExc_TypeError, "a result is an array");
        }
        call.results[index] = std::move(result.look);
        call.resultTensors[index] = result.tensor;
    }
    return tensors == call.record->count || fail(PyExc_ValueError, "the arguments are not those of the record");
}

// Replay(owner, record, run, operation, arguments, results): addresses as numbers.
PyObject* newReplay(PyTypeObject* type, PyObject* arguments, PyObject*) {
    PyObject* owner = nullptr;
    PyObject* operation = nullptr;
    PyObject* inputs = nullptr;
    PyObject* results = nullptr;
    unsigned long long record = 0;
    unsigned long long run = 0;
    if (!PyArg_ParseTuple(arguments, "OKKOO!O!", &owner, &record, &run, &operation, &PyTuple_Type, &inputs,
                          &PyTuple_Type, &results)) {
        return nullptr;
    }
    const auto allocate = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
    Object made(allocate(type, 0));
    if (!made) {
        return nullptr;
    }
    Replay& call = *asReplay(made.get());
    new (&call.owner) Object(Object::borrowed(owner));
    new (&call.operation) Object(Object::borrowed(operation));
    for (Argument& argument : call.arguments) {
        new (&argument) Argument;
    }
    for (Look& look : call.results) {
        new (&look) Look;
    }
    call.numberBytes = 0;
    call.record = reinterpret_cast<aclquantLaunch*>(static_cast<std::uintptr_t>(record));
    call.run = reinterpret_cast<Run>(static_cast<std::uintptr_t>(run));
    return readAll(call, inputs, results) ? made.release() : nullptr;
}

void destroyReplay(PyObject* self) {
    Replay& call = *asReplay(self);
    PyTypeObject* const type = Py_TYPE(self);
    for (Look& look : call.results) {
        look.~Look();
    }
    for (Argument& argument : call.arguments) {
        argument.~Argument();
    }
    call.operation.~Object();
    call.owner.~Object();
    reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(reinterpret_cast<PyObject*>(type));
}

template <class Function>
PyCFunction asMethod(Function function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef replayMethods[] = {
    {"run", asMethod(runReplay), METH_FASTCALL,
     "run(*arguments, out): the results, or None if the long way has to be taken"},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot replaySlots[] = {
    {Py_tp_new, reinterpret_cast<void*>(newReplay)},
    {Py_tp_dealloc, reinterpret_cast<void*>(destroyReplay)},
    {Py_tp_methods, replayMethods},
    {0, nullptr},
};
PyType_Spec replaySpec = {"aclquant._ffi._replay.Replay", sizeof(Replay), 0, Py_TPFLAGS_DEFAULT, replaySlots};

PyMethodDef moduleMethods[] = {
    {"again", asMethod(again), METH_FASTCALL,
     "again(operation, *values, out, stream, device): the results of a call that was made before, or None if the long "
     "way has to be taken"},
    {"install", install, METH_O, "install(local): where threads keep their calls"},
    {nullptr, nullptr, 0, nullptr},
};
PyModuleDef moduleDefinition = {
    PyModuleDef_HEAD_INIT, "_replay", nullptr, -1, moduleMethods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__replay();

PyMODINIT_FUNC PyInit__replay() {
    import_array();
    nameState = PyUnicode_InternFromString("state");
    nameBlocks = PyUnicode_InternFromString("blocks");
    nameReplays = PyUnicode_InternFromString("replays");
    Object module(PyModule_Create(&moduleDefinition));
    replayType = module ? PyType_FromSpec(&replaySpec) : nullptr;
    if (replayType == nullptr || nameReplays == nullptr ||
        PyModule_AddObject(module.get(), "Replay", Object::borrowed(replayType).release()) != 0) {
        return nullptr;
    }
    return module.release();
}
