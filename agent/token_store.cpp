#include "agent/token_store.hpp"

#include <fstream>
#include <sstream>
#include <utility>

#include "base/log.hpp"

namespace edgecam::agent {
namespace {

constexpr const char* kOwnName = "own";

/// The rules that one entry of the config stands for: with a file, one for each of its lines.
Result<std::vector<uplink::TokenRule>> rulesOf(const TokenConfig& entry) {
    const auto rule = [&](const uplink::TokenHash& token) {
        return uplink::TokenRule{
            .name = entry.name, .token = token, .role = entry.role, .cameras = entry.cameras};
    };
    if (entry.token) return std::vector{rule(*entry.token)};
    const auto lines = readSecretLines(entry.file);
    if (!lines) return lines.error();
    std::vector<uplink::TokenRule> rules;
    for (const std::string& line : *lines) {
        if (!uplink::TokenHash::looksLikeOne(line)) {
            rules.push_back(rule(uplink::TokenHash::of(line)));
            continue;
        }
        const auto hash = uplink::TokenHash::parse(line);
        if (!hash) return hash.error().within(entry.file);
        rules.push_back(rule(*hash));
    }
    return rules;
}

Result<uplink::TokenKey> keyOf(const TokenKeyConfig& entry) {
    std::ifstream file(entry.publicKeyFile);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return Error{entry.publicKeyFile + ": cannot be read"};
    auto key = uplink::readPublicKey(text.str());
    if (!key) return Error{entry.publicKeyFile + " " + key.error().message};
    return uplink::TokenKey{.name = entry.name,
                            .publicKey = *std::move(key),
                            .audience = entry.audience,
                            .issuer = entry.issuer,
                            .most = entry.most,
                            .cameras = entry.cameras,
                            .longest = entry.longest};
}

}  // namespace

Result<void> TokenStore::check(const ServerConfig& config) {
    for (std::size_t i = 0; i < config.tokens.size(); ++i) {
        if (const auto rules = rulesOf(config.tokens[i]); !rules) {
            return rules.error().within(concat("/server/tokens/", i, "/token_file"));
        }
    }
    for (std::size_t i = 0; i < config.tokenKeys.size(); ++i) {
        if (const auto key = keyOf(config.tokenKeys[i]); !key) {
            return key.error().within(concat("/server/token_keys/", i, "/public_key_file"));
        }
    }
    return {};
}

Result<std::unique_ptr<TokenStore>> TokenStore::open(const ServerConfig& config, DataDir& dataDir,
                                                     MainLoop& loop, const Clock& clock) {
    auto store = std::unique_ptr<TokenStore>(new TokenStore(config, dataDir, loop, clock));
    if (auto settled = store->settleOwn(); !settled) return settled.error();
    (void)store->changed();
    store->access_ = std::make_unique<uplink::Access>(
        uplink::AccessRules{store->tokensNow(), store->keysNow(), dataDir.revokedTokens()}, clock);
    store->timer_ = std::make_unique<MainLoop::Timer>(kInterval, [raw = store.get()] { raw->look(); });
    return store;
}

TokenStore::TokenStore(const ServerConfig& config, DataDir& dataDir, MainLoop& loop, const Clock& clock)
    : config_(config), dataDir_(dataDir), loop_(loop), clock_(clock) {}

/// The token that the agent made holds exactly where the config names nobody.
Result<void> TokenStore::settleOwn() {
    if (!config_.makesToken()) {
        own_.reset();
        old_.reset();
        oldEnds_.reset();
        return {};
    }
    if (own_) return {};
    const auto own = dataDir_.ownToken();
    if (!own) return own.error();
    own_ = uplink::TokenHash::of(*own);
    return {};
}

Result<void> TokenStore::configChanged() {
    const auto settled = settleOwn();
    (void)changed();
    readAgain();
    return settled;
}

void TokenStore::addOwn(std::vector<uplink::TokenRule>& rules) const {
    for (const auto& token : {own_, old_}) {
        if (!token) continue;
        rules.push_back(
            {.name = kOwnName, .token = *token, .role = uplink::Role::admin, .cameras = {}, .made = true});
    }
}

std::vector<std::string> TokenStore::files() const {
    std::vector<std::string> paths;
    for (const TokenConfig& entry : config_.tokens) {
        if (!entry.token) paths.push_back(entry.file);
    }
    for (const TokenKeyConfig& entry : config_.tokenKeys) paths.push_back(entry.publicKeyFile);
    return paths;
}

std::string TokenStore::ownToken() const {
    if (!own_) return {};
    const auto token = dataDir_.ownToken();
    return token ? *token : std::string();
}

bool TokenStore::changed() {
    std::map<std::string, FileStamp> stamps;
    for (const std::string& path : files()) stamps[path] = stampOf(path);
    const bool differ = stamps != stamps_;
    stamps_ = std::move(stamps);
    return differ;
}

/// What cannot be read gives nobody a right, and takes no other token with it.
std::vector<uplink::TokenRule> TokenStore::tokensNow() const {
    std::vector<uplink::TokenRule> tokens;
    for (const TokenConfig& entry : config_.tokens) {
        const auto some = rulesOf(entry);
        if (some) {
            tokens.insert(tokens.end(), some->begin(), some->end());
        } else {
            logError("agent", "tokens of ", entry.name, " do not hold: ", some.error().message);
        }
    }
    addOwn(tokens);
    return tokens;
}

std::vector<uplink::TokenKey> TokenStore::keysNow() const {
    std::vector<uplink::TokenKey> keys;
    for (const TokenKeyConfig& entry : config_.tokenKeys) {
        auto key = keyOf(entry);
        if (key) {
            keys.push_back(*std::move(key));
        } else {
            logError("agent", "tokens signed by ", entry.name, " do not hold: ", key.error().message);
        }
    }
    return keys;
}

void TokenStore::look() {
    const bool oldOver = oldEnds_ && clock_.monotonic() >= *oldEnds_;
    if (oldOver) {
        oldEnds_.reset();
        old_.reset();
    }
    if (changed() || oldOver) readAgain();
}

void TokenStore::readAgain() {
    auto tokens = tokensNow();
    auto keys = keysNow();
    const auto line =
        concat("tokens were read again: ", tokens.size(), ", and ", keys.size(), " keys of who signs some");
    access_->replace(std::move(tokens), std::move(keys));
    logInfo("agent", line);
}

Result<std::string> TokenStore::rotateOwn() {
    if (!own_) return Error{"no token here was made by the agent"};
    auto fresh = dataDir_.replaceOwnToken();
    if (!fresh) return fresh.error();
    old_ = std::exchange(own_, uplink::TokenHash::of(*fresh));
    oldEnds_ = clock_.monotonic() + kOldHolds;
    access_->replace(tokensNow(), keysNow());
    return fresh;
}

bool TokenStore::revoke(const uplink::Grant& grant) {
    if (!access_->revoke(grant)) return false;
    loop_.post([this] { keepRevoked(); });
    return true;
}

void TokenStore::keepRevoked() {
    if (const auto kept = dataDir_.rememberRevoked(access_->revoked()); !kept) {
        logError("agent", "revoked tokens will hold again after a restart: ", kept.error().message);
    }
}

}  // namespace edgecam::agent
