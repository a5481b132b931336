#include "tests/support/rtsp_server.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace edgecam::test {
namespace {

/// The port after "ready", read from the child; nothing when it ended.
std::optional<int> awaitReady(int pipe) {
    std::FILE* in = ::fdopen(pipe, "r");
    int port = 0;
    const bool ready = std::fscanf(in, "ready %d", &port) == 1;
    std::fclose(in);
    return ready ? std::optional(port) : std::nullopt;
}

}  // namespace

RtspServer::RtspServer(RtspServer&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), port_(std::exchange(other.port_, 0)) {}

RtspServer& RtspServer::operator=(RtspServer&& other) noexcept {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    port_ = std::exchange(other.port_, 0);
    return *this;
}

std::optional<RtspServer> RtspServer::start(const RtspServerOptions& options) {
    const char* program = std::getenv("EDGECAM_RTSP_SERVER");
    int pipe[2];
    if (!program || ::pipe2(pipe, 0) != 0) return std::nullopt;
    std::vector<std::string> words{program, std::to_string(options.port),
                                   options.file.empty() ? "-" : options.file, options.codec,
                                   options.auth.empty() ? "-" : options.auth};
    words.push_back(options.launch.empty() ? "-" : options.launch);
    if (!options.sub.empty()) words.push_back(options.sub);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    RtspServer server;
    server.pid_ = ::fork();
    if (server.pid_ == 0) {
        ::dup2(pipe[1], STDOUT_FILENO);
        ::close(pipe[0]);
        ::close(pipe[1]);
        ::execv(program, arguments.data());
        ::_exit(127);
    }
    ::close(pipe[1]);
    const auto port = awaitReady(pipe[0]);
    if (!port) return std::nullopt;
    server.port_ = *port;
    return server;
}

std::string RtspServer::url(const std::string& credentials) const {
    const std::string before = credentials.empty() ? "" : credentials + "@";
    return "rtsp://" + before + "127.0.0.1:" + std::to_string(port_) + "/cam";
}

std::string RtspServer::subUrl() const {
    return "rtsp://127.0.0.1:" + std::to_string(port_) + "/sub";
}

void RtspServer::freeze() const {
    ::kill(pid_, SIGSTOP);
}

void RtspServer::thaw() const {
    ::kill(pid_, SIGCONT);
}

void RtspServer::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

}  // namespace edgecam::test
