// SPDX-License-Identifier: Apache-2.0
// aclquant._ffi._replay: recognises "the same call as before" and launches it from its record, in one step from Python.
// It decides nothing: what it does not recognise goes to the Python function it was given (aclquant/plans.py), which
// makes the records and is the home of the rules. Stable ABI of Python 3.10, NumPy's C API.
//
// Python up to 3.13 ends a daemon thread that wants the interpreter's lock after the end of the program: by unwinding its
// stack, wherever Python code may run. So this file is compiled without exceptions (no destructor runs then, without the
// lock), and nothing that has to be released lives across such a place but Python's own references.
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

// A number, or a list or tuple of them. Another value of the same Python type is converted as the first one was. The
// elements are written to memory of the call in flight: other calls may come in between (signal handlers, finalisers).
struct Numbers {
    Object type;            // of the argument
    bool floats = false;    // the elements: float32, else int32
    bool fraction = false;  // whether there was a float among them, on which the type of the array may depend
    std::size_t size = 0;

    std::size_t bytes() const { return size * sizeof(float); }

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
            const std::optional<double> element = number(value, fractions);
            return element && fractions == fraction && store(elements, 0, *element);
        }
        const bool list = Py_TYPE(value) == &PyList_Type;
        const Py_ssize_t count = list ? PyList_Size(value) : PyTuple_Size(value);
        if (static_cast<std::size_t>(count) != size) {
            return false;
        }
        for (Py_ssize_t index = 0; index < count; ++index) {
            const std::optional<double> element =
                number(list ? PyList_GetItem(value, index) : PyTuple_GetItem(value, index), fractions);
            if (!element || !store(elements, static_cast<std::size_t>(index), *element)) {
                return false;
            }
        }
        return fractions == fraction;
    }

  private:
    bool store(void* elements, std::size_t index, double value) const {
        if (floats) {
            static_cast<float*>(elements)[index] = static_cast<float>(value);
            return true;
        }
        if (!(value >= INT32_MIN && value <= INT32_MAX)) {
            return false;
        }
        static_cast<npy_int32*>(elements)[index] = static_cast<npy_int32>(value);
        return true;
    }
};

// An argument of the call that is replayed.
struct Argument {
    enum class Kind { Absent, Array, Numbers, Fixed } kind = Kind::Absent;
    Look look;
    Numbers numbers;
    Object fixed;
};

// A recorded call. Python object without cycles: it refers to the Prepared that owns the record.
struct Replay {
    PyObject_HEAD Object owner;
    Object function;
    Object attributes;
    aclquantLaunch* record;
    Run run;
    std::size_t argumentCount;
    std::size_t resultCount;
    std::size_t numberBytes;  // of all numbers of one call
    Argument arguments[kMostArguments];
    Look results[kMost];
};

// One call in flight: addresses, results, and its own copy of the numbers. Trivial, so that nothing is left to do if the
// thread ends while it waits; finish() gives everything back.
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
PyObject* here = nullptr;     // what each thread keeps: aclquant.here
PyObject* longWay = nullptr;  // the Python function for everything else
PyObject* nameCalls = nullptr;
PyObject* nameBlocks = nullptr;
PyObject* nameReplays = nullptr;

Replay* asReplay(PyObject* object) {
    return reinterpret_cast<Replay*>(object);
}

// Collects addresses and results; false (without an exception): the long way has to be taken.
// `given` answers the argument of that position among those that are given.
template <class Given>
bool gather(Flight& flight, std::size_t count, Given&& given, PyObject* out) {
    const Replay& call = *flight.call;
    auto* elements = static_cast<unsigned char*>(flight.numbers());
    std::size_t filled = 0;
    std::size_t taken = 0;
    for (std::size_t index = 0; index < call.argumentCount; ++index) {
        const Argument& argument = call.arguments[index];
        if (argument.kind == Argument::Kind::Fixed) {
            flight.addresses[filled++] = PyArray_DATA(argument.fixed.array());
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
                flight.addresses[filled++] = PyArray_DATA(reinterpret_cast<PyArrayObject*>(value));
                break;
            case Argument::Kind::Numbers:
                if (!argument.numbers.write(value, elements)) {
                    return false;
                }
                flight.addresses[filled++] = elements;
                elements += argument.numbers.bytes();
                break;
            default:
                if (value != Py_None) {
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
        flight.addresses[filled++] = PyArray_DATA(reinterpret_cast<PyArrayObject*>(flight.results[index]));
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

// Nothing, with or without an exception.
PyObject* find(PyObject* function, PyObject* arrays, PyObject* attributes, PyObject* out) {
    const Object calls(PyObject_GetAttr(here, nameCalls));
    const Object blocks(calls ? PyObject_GetAttr(calls.get(), nameBlocks) : nullptr);
    if (!blocks || PyObject_IsTrue(blocks.get()) != 0) {
        return nullptr;
    }
    const Object replays(PyObject_GetAttr(calls.get(), nameReplays));
    if (!replays || !PyList_Check(replays.get()) || !PyTuple_Check(arrays)) {
        return nullptr;
    }
    const auto count = static_cast<std::size_t>(PyTuple_Size(arrays));
    const auto given = [arrays](std::size_t index) { return PyTuple_GetItem(arrays, static_cast<Py_ssize_t>(index)); };
    for (Py_ssize_t index = 0; index < PyList_Size(replays.get()); ++index) {
        const Object entry = Object::borrowed(PyList_GetItem(replays.get(), index));
        if (Py_TYPE(entry.get()) != reinterpret_cast<PyTypeObject*>(replayType)) {
            continue;
        }
        Replay& call = *asReplay(entry.get());
        if (call.function.get() != function || !same(call.attributes.get(), attributes)) {
            if (PyErr_Occurred() != nullptr) {
                return nullptr;
            }
            continue;
        }
        PyObject* const result = launch(call, count, given, out);
        if (result != nullptr || PyErr_Occurred() != nullptr) {
            return result;
        }
    }
    return nullptr;
}

PyObject* replay(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (longWay == nullptr || count < 3 || count > 4) {
        PyErr_SetString(PyExc_TypeError, "replay(function, arrays, attributes, out=None), after install()");
        return nullptr;
    }
    PyObject* const out = count == 4 ? arguments[3] : Py_None;
    if (PyObject* const result = find(arguments[0], arguments[1], arguments[2], out); result != nullptr) {
        return result;
    }
    PyErr_Clear();  // whatever it was: the long way says it, and better
    return PyObject_CallFunctionObjArgs(longWay, arguments[0], arguments[1], arguments[2], out, nullptr);
}

PyObject* install(PyObject*, PyObject* arguments) {
    PyObject* place = nullptr;
    PyObject* function = nullptr;
    if (!PyArg_ParseTuple(arguments, "OO", &place, &function)) {
        return nullptr;
    }
    Object oldPlace(std::exchange(here, Object::borrowed(place).release()));
    Object oldFunction(std::exchange(longWay, Object::borrowed(function).release()));
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

// (shape, dtype)
bool readLook(PyObject* pair, Look& look) {
    PyObject* shape = nullptr;
    PyObject* dtype = nullptr;
    if (!PyArg_ParseTuple(pair, "O!O!", &PyTuple_Type, &shape, &PyArrayDescr_Type, &dtype)) {
        return false;
    }
    look.dimensions = static_cast<std::size_t>(PyTuple_Size(shape));
    if (look.dimensions > kMostDimensions) {
        PyErr_SetString(PyExc_ValueError, "too many dimensions");
        return false;
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

// None; (shape, dtype); an array that stays; or (type, whether fractions, an array of the numbers' type and length).
bool readArgument(PyObject* value, Argument& argument) {
    if (value == Py_None) {
        return true;
    }
    if (isArray(value, NPY_ARRAY_CARRAY_RO)) {
        argument.kind = Argument::Kind::Fixed;
        argument.fixed = Object::borrowed(value);
        return true;
    }
    if (PyTuple_Check(value) && PyTuple_Size(value) == 3) {
        PyObject* type = nullptr;
        PyObject* like = nullptr;
        int fraction = 0;
        if (!PyArg_ParseTuple(value, "O!pO!", &PyType_Type, &type, &fraction, &PyArray_Type, &like)) {
            return false;
        }
        auto* const array = reinterpret_cast<PyArrayObject*>(like);
        const int number = PyArray_TYPE(array);
        if (PyArray_NDIM(array) != 1 || (number != NPY_FLOAT && number != NPY_INT32)) {
            PyErr_SetString(PyExc_TypeError, "numbers need an array of one dimension, float32 or int32");
            return false;
        }
        argument.kind = Argument::Kind::Numbers;
        argument.numbers.type = Object::borrowed(type);
        argument.numbers.floats = number == NPY_FLOAT;
        argument.numbers.fraction = fraction != 0;
        argument.numbers.size = static_cast<std::size_t>(PyArray_DIM(array, 0));
        return true;
    }
    argument.kind = Argument::Kind::Array;
    return readLook(value, argument.look);
}

bool readAll(Replay& call, PyObject* inputs, PyObject* results) {
    call.argumentCount = static_cast<std::size_t>(PyTuple_Size(inputs));
    call.resultCount = static_cast<std::size_t>(PyTuple_Size(results));
    if (call.argumentCount > kMostArguments || call.resultCount == 0 || call.resultCount > kMost) {
        PyErr_SetString(PyExc_ValueError, "too many arguments, or no result");
        return false;
    }
    std::size_t tensors = call.resultCount;
    for (std::size_t index = 0; index < call.argumentCount; ++index) {
        Argument& argument = call.arguments[index];
        if (!readArgument(PyTuple_GetItem(inputs, static_cast<Py_ssize_t>(index)), argument)) {
            return false;
        }
        tensors += argument.kind == Argument::Kind::Absent ? 0 : 1;
        call.numberBytes += argument.kind == Argument::Kind::Numbers ? argument.numbers.bytes() : 0;
    }
    for (std::size_t index = 0; index < call.resultCount; ++index) {
        if (!readLook(PyTuple_GetItem(results, static_cast<Py_ssize_t>(index)), call.results[index])) {
            return false;
        }
    }
    if (tensors != call.record->count || tensors > kMost) {
        PyErr_SetString(PyExc_ValueError, "the arguments are not those of the record");
        return false;
    }
    return true;
}

// Replay(owner, record, run, function, attributes, arguments, results): addresses as numbers.
PyObject* newReplay(PyTypeObject* type, PyObject* arguments, PyObject*) {
    PyObject* owner = nullptr;
    PyObject* function = nullptr;
    PyObject* attributes = nullptr;
    PyObject* inputs = nullptr;
    PyObject* results = nullptr;
    unsigned long long record = 0;
    unsigned long long run = 0;
    if (!PyArg_ParseTuple(arguments, "OKKOOO!O!", &owner, &record, &run, &function, &attributes, &PyTuple_Type, &inputs,
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
    new (&call.function) Object(Object::borrowed(function));
    new (&call.attributes) Object(Object::borrowed(attributes));
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
    call.attributes.~Object();
    call.function.~Object();
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
    {"install", install, METH_VARARGS,
     "install(here, function): where threads keep their calls, and who takes the long way"},
    {"replay", asMethod(replay), METH_FASTCALL, "replay(function, arrays, attributes, out=None)"},
    {nullptr, nullptr, 0, nullptr},
};
PyModuleDef moduleDefinition = {
    PyModuleDef_HEAD_INIT, "_replay", nullptr, -1, moduleMethods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__replay();  // for -Wmissing-declarations
PyMODINIT_FUNC PyInit__replay() {
    import_array();
    nameCalls = PyUnicode_InternFromString("calls");
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
