#include "tests/uplink/node_peer.hpp"

#include <doctest/doctest.h>
#include <glib.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace edgecam::test {
namespace {

constexpr int kDeadlineMs = 15'000;

std::string sourceRoot() {
    const char* root = std::getenv("EDGECAM_SOURCE");
    return root != nullptr ? root : ".";
}

}  // namespace

std::optional<NodePeer> NodePeer::run(const std::string& script, const std::vector<std::string>& arguments) {
    const std::string tests = sourceRoot() + "/tests";
    gchar* node = g_find_program_in_path("node");
    if (node == nullptr || !std::filesystem::exists(tests + "/node_modules/ws")) {
        g_free(node);
        MESSAGE("skipped: Node.js or the npm package ws is not installed (npm ci in tests/)");
        return std::nullopt;
    }
    std::string path = tests + "/uplink/clients/" + script;
    std::vector<std::string> words{node, std::move(path)};
    g_free(node);
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    GPid pid = 0;
    int output = -1;
    const bool started =
        g_spawn_async_with_pipes(nullptr, argv.data(), nullptr, G_SPAWN_DO_NOT_REAP_CHILD, nullptr, nullptr,
                                 &pid, nullptr, &output, nullptr, nullptr) != 0;
    REQUIRE(started);
    return NodePeer(pid, output);
}

NodePeer::NodePeer(NodePeer&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      output_(std::exchange(other.output_, -1)),
      buffered_(std::move(other.buffered_)) {}

NodePeer::~NodePeer() {
    kill();
    if (output_ >= 0) close(output_);
}

void NodePeer::kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

std::string NodePeer::lineWith(const std::string& part) {
    while (true) {
        const auto end = buffered_.find('\n');
        if (end != std::string::npos) {
            std::string line = buffered_.substr(0, end);
            buffered_.erase(0, end + 1);
            if (line.find(part) != std::string::npos) return line;
            continue;
        }
        pollfd waiting{output_, POLLIN, 0};
        std::array<char, 4096> piece{};
        if (poll(&waiting, 1, kDeadlineMs) != 1) return {};
        const auto got = read(output_, piece.data(), piece.size());
        if (got <= 0) return {};
        buffered_.append(piece.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace edgecam::test
