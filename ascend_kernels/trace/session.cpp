// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <string_view>

#include "aclquant/trace.h"
#include "books.h"
#include "device_time.h"
#include "second_opinion.h"
#include "write.h"

namespace aclq::trace {

thread_local int depth __attribute__((tls_model("initial-exec"))) = 0;

namespace {

// Sessions are published here and never destroyed: a call in another thread may still hold one.
std::atomic<Session*> sessions[kMaxSessions];
std::mutex sessionsMutex;
std::atomic<std::uint32_t> tracing{0}, syncing{0}, recording{0}, timing{0};  // bit n: session n does
std::atomic<std::uint64_t> calls{0};

thread_local std::string keptErrors;
thread_local std::string beginError;

template <class Use>
void eachSession(std::uint32_t mask, Use use) {
    while (mask != 0) {
        const int number = std::countr_zero(mask);
        mask &= mask - 1;
        Session* const session = sessions[number].load(std::memory_order_acquire);
        if (session != nullptr) {
            use(*session, number);
        }
    }
}

// Kept, as asking costs a system call; a forked child asks again.
std::atomic<int> process{0};

int processId() {
    int id = process.load(std::memory_order_relaxed);
    if (id == 0) {
        id = getpid();
        process.store(id, std::memory_order_relaxed);
    }
    return id;
}

long threadId() {
    static thread_local long id = 0;
    static thread_local int of = 0;
    if (of != processId()) {
        of = processId();
        id = syscall(SYS_gettid);
    }
    return id;
}

// "12.345", from a thousandth of the unit.
void appendThousandths(std::string& line, std::int64_t thousandths) {
    appendNumber(line, thousandths / 1000);
    const auto rest = static_cast<int>(thousandths % 1000);
    line += '.';
    line += static_cast<char>('0' + rest / 100);
    line += static_cast<char>('0' + rest / 10 % 10);
    line += static_cast<char>('0' + rest % 10);
}

std::string lineOf(const Call& call, const Session& session) {
    const Function& function = call.function;
    std::string line;
    line.reserve(512);
    if (session.json) {
        line += "{\"n\":";
        appendNumber(line, call.number);
        line += ",\"function\":\"";
        line += function.name;
        line += "\",\"pid\":";
        appendNumber(line, static_cast<std::int64_t>(processId()));
        line += ",\"tid\":";
        appendNumber(line, static_cast<std::int64_t>(threadId()));
        line += ",\"start\":";
        appendNumber(line, call.start);
        line += ",\"duration\":";
        appendNumber(line, call.end - call.start);
        line += ",\"arguments\":";
        if (!call.json.empty()) {
            line += call.json;
        } else {
            appendArguments(line, call, true);
        }
        if (function.stream >= 0) {
            line += ",\"stream\":\"";
            appendHex(line, call.values[function.stream]);
            line += '"';
        }
        if (call.executor != nullptr) {
            line += ",\"phase1\":";
            appendNumber(line, call.executor->number);
        }
        if (function.launches) {
            line += ",\"launches\":true";
        }
    } else {
        line += "aclquant ";
        appendNumber(line, static_cast<std::int64_t>(processId()));
        line += '/';
        appendNumber(line, static_cast<std::int64_t>(threadId()));
        line += ' ';
        appendThousandths(line, (call.start - session.begin) / 1000);
        line += " ms ";
        line += function.name;
        line += '(';
        if (!call.text.empty()) {
            line += call.text;
        } else {
            appendArguments(line, call, false);
        }
        line += ')';
    }
    const char* const before = session.json ? ",\"result\":" : " = ";
    switch (function.result) {
        case Kind::Nothing:
            break;
        case Kind::Status: {
            const char* const name = codeName(call.status());
            if (session.json) {
                line += ",\"status\":";
                appendNumber(line, static_cast<std::int64_t>(call.status()));
                line += ",\"status_name\":\"";
                line += name;
                line += '"';
            } else {
                line += before;
                appendNumber(line, static_cast<std::int64_t>(call.status()));
                if (call.status() != 0) {
                    line += ' ';
                    line += name;
                }
            }
            break;
        }
        case Kind::Text:
            line += before;
            if (call.result == 0) {
                line += "null";
            } else {
                appendQuoted(line, reinterpret_cast<const char*>(call.result));
            }
            break;
        case Kind::Pointer:
            line += before;
            if (session.json) {
                line += '"';
            }
            appendHex(line, call.result);
            if (session.json) {
                line += '"';
            }
            if (call.result != 0 && &function == &functions[F_aclCreateTensor]) {
                if (const auto tensor = tensorOf(call.result)) {
                    if (session.json) {
                        line += ",\"tensor\":";
                        openTensorJson(line, *tensor);
                        line += '}';
                    } else {
                        line += ' ';
                        appendTensor(line, *tensor);
                    }
                }
            }
            break;
        case Kind::Float:
            line += before;
            appendNumber(line, std::bit_cast<double>(call.result));
            break;
        default:
            line += before;
            appendNumber(line, static_cast<std::int64_t>(call.result));
            break;
    }
    if (session.json) {
        if (!call.error.empty()) {
            line += ",\"error\":";
            appendQuoted(line, call.error);
        }
        line += "}\n";
        return line;
    }
    line += "  ";
    appendThousandths(line, call.end - call.start);
    line += " us\n";
    for (std::string_view rest = call.error; !rest.empty();) {
        const std::size_t end = rest.find('\n');
        line += "    ";
        line += rest.substr(0, end);
        line += '\n';
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    return line;
}

std::uint64_t executorHandle(const Call& phaseOne) {
    const std::uint64_t where = phaseOne.values[phaseOne.function.count - 1];
    return where == 0 ? 0 : *reinterpret_cast<const std::uint64_t*>(where);
}

// What was asked, with its reason, is known when phase 1 returns; what becomes of it only in phase 2.
void afterPhaseOne(Call& call) {
    const std::uint32_t recorders = call.wanted & recording.load();
    if (call.failed()) {
        const std::string opinion = secondOpinion(call);
        if (!opinion.empty()) {
            keepErrorText(opinion);
            call.error = call.error.empty() ? opinion : opinion + "\n" + call.error;
        }
        eachSession(recorders, [&](Session& session, int) {
            if (session.recorder != nullptr) {
                session.recorder->refused(call);
            }
        });
        return;
    }
    const std::uint64_t handle = executorHandle(call);
    if (handle == 0) {
        return;
    }
    auto entry = std::make_shared<ExecutorEntry>();
    entry->number = call.number;
    entry->operation = call.function.phaseTwo;
    if (recorders != 0) {
        entry->arguments = keepArguments(call);
    }
    if ((call.wanted & (syncing.load() | recording.load())) != 0) {
        for (int i = 0; i < call.function.count - 2; ++i) {
            entry->text += i == 0 ? "" : ", ";
            entry->text += call.function.parameters[i].name;
            entry->text += '=';
            appendValue(entry->text, call, i, false);
        }
    }
    addExecutor(handle, std::move(entry));
}

// Waits for what was just put on the stream, so that its error is this call's answer.
void waitFor(Call& call, std::uint64_t stream) {
    const auto synchronize = ACLQ_REAL(aclrtSynchronizeStream);
    if (synchronize == nullptr || isCapturing(stream)) {
        return;
    }
    const aclError status = synchronize(reinterpret_cast<aclrtStream>(stream));
    if (status == 0) {
        return;
    }
    call.result = static_cast<std::uint64_t>(static_cast<std::int64_t>(status));
    call.error = takeErrorText();
    std::string asked = "reported by the device for this call: ";
    asked += call.function.name;
    asked += '(';
    if (call.executor != nullptr) {
        asked += call.executor->text;
    } else {
        appendArguments(asked, call, false);
    }
    asked += ')';
    keepErrorText(asked);
    call.error += call.error.empty() ? asked : "\n" + asked;
}

void giveErrors(Call& call) {
    if (keptErrors.empty()) {
        return;
    }
    static thread_local std::string given;
    given = std::move(keptErrors);
    keptErrors.clear();
    if (call.result != 0 && *reinterpret_cast<const char*>(call.result) != '\0') {
        given += given.ends_with('\n') ? "" : "\n";
        given += reinterpret_cast<const char*>(call.result);
    }
    call.result = reinterpret_cast<std::uint64_t>(given.c_str());
}

bool isLaunch(std::string_view name) {
    return name.find("Async") != name.npos || name.find("Launch") != name.npos || name.find("Execute") != name.npos;
}

std::map<std::string, std::string> parse(const char* text) {
    std::map<std::string, std::string> found;
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        const std::size_t equals = line.find('=');
        if (equals != line.npos) {
            found.emplace(line.substr(0, equals), line.substr(equals + 1));
        }
        rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
    }
    return found;
}

std::string headOf(const Session& session) {
    std::string line = "{\"trace\":\"aclquant\",\"version\":1,\"pid\":";
    appendNumber(line, static_cast<std::int64_t>(getpid()));
    line += ",\"command\":";
    appendQuoted(line, commandLine());
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    line += ",\"monotonic\":";
    appendNumber(line, session.begin);
    line += ",\"unix\":";
    appendNumber(line, static_cast<std::int64_t>(wall.tv_sec) * 1000000000 + wall.tv_nsec);
    return line + "}\n";
}

std::string openTrace(Session& session, const std::string& form) {
    if (!form.empty() && form != "text" && form != "json") {
        return "form: got '" + form + "'; allowed: text, json";
    }
    session.json = form.empty() ? session.path.ends_with(".jsonl") : form == "json";
    session.file = session.path == "-" ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
                                       : open(session.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (session.file < 0) {
        return "trace: cannot open '" + session.path + "': " + std::strerror(errno);
    }
    session.trace = true;
    if (session.json) {
        session.write(headOf(session));
    }
    return "";
}

int begin(const char* settings) {
    const std::lock_guard lock(sessionsMutex);
    int number = 0;
    while (number < kMaxSessions && sessions[number].load() != nullptr) {
        ++number;
    }
    if (number == kMaxSessions) {
        beginError = "there are eight sessions already: end one first";
        return -1;
    }
    auto values = parse(settings);
    for (const auto& [key, value] : values) {
        if (key != "trace" && key != "form" && key != "record" && key != "filter" && key != "limit" && key != "sync" &&
            key != "times") {
            beginError = "unknown setting '" + key + "'";
            return -1;
        }
    }
    regex_t filter{};
    const bool filtered = !values["filter"].empty();
    if (filtered) {
        const int wrong = regcomp(&filter, values["filter"].c_str(), REG_EXTENDED | REG_NOSUB);
        if (wrong != 0) {
            char why[200];
            regerror(wrong, &filter, why, sizeof why);
            beginError = "filter: '" + values["filter"] + "' is not a regular expression: " + why;
            return -1;
        }
    }
    auto session = std::make_unique<Session>();
    session->begin = now();
    session->sync = values["sync"] == "1";
    session->times = values["times"] == "1";
    beginError.clear();
    if (values.contains("trace") && !values["trace"].empty()) {
        session->path = values["trace"];
        beginError = openTrace(*session, values["form"]);
    }
    if (beginError.empty() && !values["record"].empty()) {
        session->recorder = std::make_unique<Recorder>(values["record"], values["limit"], beginError);
    }
    if (!beginError.empty()) {
        return -1;
    }
    const std::uint32_t bit = std::uint32_t{1} << number;
    (session->trace ? tracing : timing) |= session->trace ? bit : 0;
    syncing |= session->sync || session->recorder != nullptr ? bit : 0;
    recording |= session->recorder != nullptr ? bit : 0;
    timing |= session->times && session->trace ? bit : 0;
    const bool all = session->trace;
    sessions[number].store(session.release(), std::memory_order_release);
    for (Function& function : functions) {
        const auto matches = [&](const char* name) { return !filtered || regexec(&filter, name, 0, nullptr, 0) == 0; };
        const bool concerned = all || function.launches || function.phaseTwo != nullptr;
        if (concerned &&
            (matches(function.name) || (function.phaseTwo != nullptr && matches(function.phaseTwo->name)))) {
            function.wanted |= bit;
            if (all && matches(function.name)) {
                function.written |= bit;  // a phase 1 may be seen only for its phase 2
            }
        }
    }
    if (filtered) {
        regfree(&filter);
    }
    return number;
}

int end(int number) {
    const std::lock_guard lock(sessionsMutex);
    if (number < 0 || number >= kMaxSessions || sessions[number].load() == nullptr) {
        return ACL_ERROR_INVALID_PARAM;
    }
    const std::uint32_t bit = std::uint32_t{1} << number;
    for (Function& function : functions) {
        function.wanted &= ~bit;
        function.written &= ~bit;
    }
    if ((timing.load() & bit) != 0) {
        drainDeviceTimes(true);
    }
    for (auto* const mask : {&tracing, &syncing, &recording, &timing}) {
        *mask &= ~bit;
    }
    Session* const session = sessions[number].exchange(nullptr);
    session->close();
    return 0;
}

void beforeFork() {
    sessionsMutex.lock();
    eachSession(~std::uint32_t{0} >> (32 - kMaxSessions), [](Session& session, int) { session.lock(); });
    lockBooks();
}

void afterForkInParent() {
    unlockBooks();
    eachSession(~std::uint32_t{0} >> (32 - kMaxSessions), [](Session& session, int) { session.unlock(); });
    sessionsMutex.unlock();
}

}  // namespace

bool setUp() {
    watchFunctions();
    pthread_atfork(beforeFork, afterForkInParent, [] {
        process.store(0, std::memory_order_relaxed);
        afterForkInParent();
    });
    functions[F_aclGetRecentErrMsg].after = giveErrors;
    for (Function& function : functions) {
        for (int i = 0; i < function.count; ++i) {
            if (function.parameters[i].kind == Kind::Stream) {
                function.stream = i;
            }
        }
    }
    for (Function& function : functions) {
        const std::string_view name = function.name;
        constexpr std::string_view kPhaseOne = "GetWorkspaceSize";
        if (name.ends_with(kPhaseOne)) {
            Function* const two = findFunction(std::string(name.substr(0, name.size() - kPhaseOne.size())).c_str());
            if (two != nullptr && two->count == 4 && two->stream == 3) {
                function.phaseTwo = two;
                two->isPhaseTwo = two->launches = true;
            }
        } else if (function.stream >= 0 && isLaunch(name)) {
            function.launches = true;
        }
        function.transparent = std::string_view(function.header) == "aclquant/launch.h";
    }
    const char* const preloaded = std::getenv("LD_PRELOAD");
    if (preloaded == nullptr || std::strstr(preloaded, "libaclquant_trace.so") == nullptr) {
        return true;
    }
    std::string settings;
    for (const auto& [variable, key] : {std::pair{"ACLQUANT_TRACE", "trace"},
                                        {"ACLQUANT_TRACE_FORM", "form"},
                                        {"ACLQUANT_TRACE_TIMES", "times"},
                                        {"ACLQUANT_TRACE_FILTER", "filter"},
                                        {"ACLQUANT_RECORD", "record"},
                                        {"ACLQUANT_RECORD_LIMIT", "limit"},
                                        {"ACLQUANT_SYNC", "sync"}}) {
        const char* const value = std::getenv(variable);
        if (value != nullptr && *value != '\0') {
            settings += std::string(key) + '=' + value + '\n';
        }
    }
    if (!settings.empty() && begin(settings.c_str()) < 0) {
        std::fprintf(stderr, "aclquant trace: %s\n", beginError.c_str());
        std::_Exit(1);
    }
    return true;
}

namespace {

void tearDown() __attribute__((destructor));
void tearDown() {
    if (timing.load() != 0) {
        drainDeviceTimes(true);
    }
}

}  // namespace

std::int64_t now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1000000000 + time.tv_nsec;
}

void Session::close() {
    const std::lock_guard lock(mutex_);
    if (file >= 0) {
        ::close(std::exchange(file, -1));
    }
}

void Session::write(const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (file < 0) {
        return;
    }
    const char* from = line.data();
    std::size_t left = line.size();
    while (left > 0) {
        const ssize_t wrote = ::write(file, from, left);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            std::fprintf(stderr, "aclquant trace: writing to '%s' failed: %s; the trace ends here\n", path.c_str(),
                         std::strerror(errno));
            ::close(std::exchange(file, -1));
            return;
        }
        from += wrote;
        left -= static_cast<std::size_t>(wrote);
    }
}

std::string takeErrorText() {
    const auto get = ACLQ_REAL(aclGetRecentErrMsg);
    const char* const text = get == nullptr ? nullptr : get();
    std::string taken = text == nullptr ? "" : text;
    while (taken.ends_with('\n')) {
        taken.pop_back();
    }
    if (!taken.empty()) {
        keepErrorText(taken);
    }
    return taken;
}

void keepErrorText(const std::string& text) {
    constexpr std::size_t kMost = 65536;
    if (keptErrors.size() + text.size() > kMost) {
        keptErrors.clear();
    }
    if (!keptErrors.empty() && !keptErrors.ends_with('\n')) {
        keptErrors += '\n';
    }
    keptErrors += text;
}

bool isCapturing(std::uint64_t stream) {
    const auto info = ACLQ_REAL(aclmdlRICaptureGetInfo);
    if (info == nullptr || stream == 0) {
        return false;
    }
    aclmdlRICaptureStatus status{};
    aclmdlRI graph{};
    if (info(reinterpret_cast<aclrtStream>(stream), &status, &graph) != 0) {
        takeErrorText();
        return false;
    }
    return status != ACL_MODEL_RI_CAPTURE_STATUS_NONE;
}

Call::Call(Function& called, std::uint64_t* with) : function(called), values(with) {}
Call::~Call() = default;

void before(Call& call) {
    Function& function = call.function;
    call.wanted = function.wanted.load(std::memory_order_relaxed);
    if (call.wanted != 0) {
        call.number = ++calls;
        if (function.isPhaseTwo) {
            call.executor = executorOf(call.values[2]);
            if (call.executor != nullptr && !call.executor->repeatable) {
                dropExecutor(call.values[2]);  // now: afterwards another thread may own the same address
            }
            if (call.executor != nullptr) {
                eachSession(call.wanted & recording.load(), [&](Session& session, int) {
                    if (session.recorder != nullptr && call.record == 0) {
                        session.recorder->begin(call);
                    }
                });
            }
        }
        if (function.launches && (call.wanted & timing.load()) != 0) {
            call.timing = beginDeviceTime(call);
        }
        if (function.before != nullptr) {  // what is about to go is still known
            eachSession(function.written.load(), [&](Session& session, int) {
                std::string& text = session.json ? call.json : call.text;
                if (text.empty()) {
                    appendArguments(text, call, session.json);
                }
            });
        }
    }
    if (function.before != nullptr) {
        function.before(call);
    }
    call.start = now();
}

void after(Call& call) {
    call.end = now();
    Function& function = call.function;
    if (function.after != nullptr) {
        function.after(call);
    }
    if (call.wanted == 0) {
        return;
    }
    if (call.failed()) {
        call.error = takeErrorText();
    }
    if (call.timing >= 0) {
        endDeviceTime(call);
    }
    if (function.phaseTwo != nullptr) {
        afterPhaseOne(call);
    }
    if (function.launches && !call.failed() && (call.wanted & syncing.load()) != 0) {
        waitFor(call, call.values[function.stream]);
    }
    if (call.record != 0) {
        eachSession(call.wanted & recording.load(), [&](Session& session, int) {
            if (session.recorder != nullptr) {
                session.recorder->end(call);
            }
        });
    }
    eachSession(function.written.load(), [&](Session& session, int) { session.write(lineOf(call, session)); });
    if ((call.wanted & timing.load()) != 0) {
        drainDeviceTimes(false);
    }
}

void writeToTimedSessions(const std::string& line) {
    eachSession(timing.load(), [&](Session& session, int) {
        if (session.json) {
            session.write(line);
        }
    });
}

}  // namespace aclq::trace

using namespace aclq::trace;  // NOLINT

extern "C" int32_t aclquantTraceBegin(const char* settings) {
    return begin(settings == nullptr ? "" : settings);
}
extern "C" int32_t aclquantTraceEnd(int32_t session) {
    return end(session);
}
extern "C" const char* aclquantTraceError(void) {
    return beginError.c_str();
}
