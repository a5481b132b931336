// TokenStore: keeps the server's Access in step with where tokens come from: the config, files that change,
// the token that the agent made itself, keys of who signs tokens, and what was revoked. Main thread; knows no
// socket.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.hpp"
#include "agent/data_dir.hpp"
#include "agent/main_loop.hpp"
#include "agent/secret_file.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "uplink/access.hpp"

namespace edgecam::agent {

class TokenStore {
  public:
    /// How often files are looked at; a change holds within this.
    static constexpr Microseconds kInterval = std::chrono::seconds(1);
    /// How long a token that was replaced still holds, for who is just using it.
    static constexpr Microseconds kOldHolds = std::chrono::seconds(60);

    /// Makes a token of its own, role admin, where the config names none; fails only where that cannot be. A
    /// file that cannot be read gives nobody a right and is said: the box has more to do than to be looked
    /// at. References must outlive the store.
    static Result<std::unique_ptr<TokenStore>> open(const ServerConfig& config, DataDir& dataDir,
                                                    MainLoop& loop, const Clock& clock);
    /// Reads what open() would, and keeps nothing. The error says which part of the config is at fault.
    static Result<void> check(const ServerConfig& config);
    /// The config it was opened with has other tokens or keys now. Fails where a token of its own is needed
    /// and cannot be made; then nobody has one.
    Result<void> configChanged();
    ~TokenStore() = default;
    TokenStore(const TokenStore&) = delete;
    TokenStore& operator=(const TokenStore&) = delete;

    /// Thread-safe, as Access is.
    [[nodiscard]] uplink::Access& access() { return *access_; }
    /// The one that the agent made, to be shown to a person at a terminal; empty: tokens are configured. Read
    /// from the disk, since no memory should hold it.
    [[nodiscard]] std::string ownToken() const;

    /// A new token in the place of the one the agent made; the old one holds for kOldHolds. Blocks on the
    /// disk.
    Result<std::string> rotateOwn();
    /// Any thread: the grant's token holds no more, here and after a restart. False where it has none.
    bool revoke(const uplink::Grant& grant);

  private:
    TokenStore(const ServerConfig& config, DataDir& dataDir, MainLoop& loop, const Clock& clock);
    [[nodiscard]] std::vector<std::string> files() const;
    [[nodiscard]] bool changed();
    Result<void> settleOwn();
    void look();
    void readAgain();
    [[nodiscard]] std::vector<uplink::TokenRule> tokensNow() const;
    [[nodiscard]] std::vector<uplink::TokenKey> keysNow() const;
    void addOwn(std::vector<uplink::TokenRule>& rules) const;
    void keepRevoked();

    const ServerConfig& config_;
    DataDir& dataDir_;
    MainLoop& loop_;
    const Clock& clock_;
    std::optional<uplink::TokenHash> own_;
    std::optional<uplink::TokenHash> old_;  ///< replaced, and holding until oldEnds_
    std::optional<Monotonic> oldEnds_;
    std::map<std::string, FileStamp> stamps_;
    std::unique_ptr<uplink::Access> access_;
    std::unique_ptr<MainLoop::Timer> timer_;
};

}  // namespace edgecam::agent
