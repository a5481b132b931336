// NodePeer: a peer of another implementation, a script of tests/uplink/clients/ under Node.js with the npm
// package `ws`. Ends with its object.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace edgecam::test {

class NodePeer {
  public:
    /// Nothing, with a line in the test's output, where Node.js or `ws` is not installed.
    static std::optional<NodePeer> run(const std::string& script, const std::vector<std::string>& arguments);
    NodePeer(NodePeer&& other) noexcept;
    NodePeer& operator=(NodePeer&&) = delete;
    ~NodePeer();

    /// The next line of its output that holds `part`; empty when it ends or none comes in time.
    std::string lineWith(const std::string& part);
    /// Ends it at once, as a power cut would.
    void kill();

  private:
    NodePeer(int pid, int output) : pid_(pid), output_(output) {}

    int pid_;
    int output_;
    std::string buffered_;
};

}  // namespace edgecam::test
