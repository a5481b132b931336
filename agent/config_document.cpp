#include "agent/config_document.hpp"

#include <glib.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/log.hpp"
#include "uplink/hub_url.hpp"
#include "uplink/token_hash.hpp"

namespace edgecam::agent {
namespace {

using Allocator = JsonDocument::AllocatorType;

/// scheme://user:password@place head tail; head ends with the first '?' or '=' behind the place.
struct UrlParts {
    std::string scheme, user, place, head;
    std::optional<std::string> password;
    std::string tail;

    [[nodiscard]] std::string text() const {
        const std::string secret = password ? concat(":", *password) : std::string();
        const std::string who = user.empty() && !password ? std::string() : concat(user, secret, "@");
        return concat(scheme, "://", who, place, head, tail);
    }
    /// Whether both lead to the same machine. RTSP by TCP or UDP is one.
    [[nodiscard]] bool leadsAs(const UrlParts& other) const {
        const bool sameScheme =
            scheme == other.scheme || (scheme.starts_with("rtsp") && other.scheme.starts_with("rtsp"));
        return sameScheme && place == other.place;
    }
};

std::optional<UrlParts> partsOf(const std::string& url) {
    const auto colon = url.find("://");
    if (colon == std::string::npos) return std::nullopt;
    const auto begin = colon + 3;
    const auto end = std::min(url.find_first_of("/?#", begin), url.size());
    UrlParts parts{.scheme = url.substr(0, colon), .place = url.substr(begin, end - begin)};
    if (const auto at = parts.place.rfind('@'); at != std::string::npos) {
        parts.user = parts.place.substr(0, at);
        parts.place.erase(0, at + 1);
    }
    if (const auto split = parts.user.find(':'); split != std::string::npos) {
        parts.password = parts.user.substr(split + 1);
        parts.user.resize(split);
    }
    const auto cut = url.find_first_of("?=", end);
    parts.head = cut == std::string::npos ? url.substr(end) : url.substr(end, cut + 1 - end);
    if (cut != std::string::npos) parts.tail = url.substr(cut + 1);
    return parts;
}

std::string hidden(const std::string& url) {
    auto parts = partsOf(url);
    if (!parts) return url;
    if (parts->password && !parts->password->empty()) parts->password = kHidden;
    if (!parts->tail.empty()) parts->tail = kHidden;
    return parts->text();
}

// The candidate may be anything, so nothing is taken for an object, a list or a text before it is looked at.
JsonValue* memberOf(JsonValue& object, const char* name) {
    return object.IsObject() && object.HasMember(name) ? &object[name] : nullptr;
}
std::string textAt(JsonValue& object, const char* name) {
    const JsonValue* member = memberOf(object, name);
    return member != nullptr && member->IsString()
               ? std::string(member->GetString(), member->GetStringLength())
               : std::string();
}
void setText(JsonValue& value, std::string_view text, Allocator& allocator) {
    value.SetString(text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator);
}

template <class Visit>
void eachOf(JsonValue* list, const Visit& visit) {
    if (list == nullptr || !list->IsArray()) return;
    for (rapidjson::SizeType i = 0; i < list->Size(); ++i) visit((*list)[i], i);
}

JsonValue* tokensOf(JsonValue& document) {
    JsonValue* server = memberOf(document, "server");
    return server == nullptr ? nullptr : memberOf(*server, "tokens");
}

bool isNetworkSource(const std::string& source) {
    return source.starts_with("rtsp://") || source.starts_with("rtspu://");
}

/// All URLs of an uplink's hubs, wherever they stand.
std::vector<JsonValue*> hubsOf(JsonValue& uplink) {
    std::vector<JsonValue*> hubs;
    const auto add = [&](JsonValue& url) {
        if (url.IsString()) hubs.push_back(&url);
    };
    if (JsonValue* one = memberOf(uplink, "url")) add(*one);
    eachOf(memberOf(uplink, "urls"), [&](JsonValue& url, auto) { add(url); });
    return hubs;
}

/// As the config names them: an uplink without a name by its first hub, a token by its place.
std::string nameOfUplink(JsonValue& uplink) {
    std::string name = textAt(uplink, "name");
    const auto hubs = hubsOf(uplink);
    if (!name.empty() || hubs.empty()) return name;
    const auto hub = uplink::parseHubUrl(hubs.front()->GetString());
    return hub ? hub->shown : std::string();
}
std::string nameOfToken(JsonValue& token, rapidjson::SizeType index) {
    const std::string name = textAt(token, "name");
    return name.empty() ? concat("server/tokens/", index) : name;
}

constexpr int kDeepest = 64;  // each level costs a stack frame
constexpr const char* kTooDeep = "lists and objects in one another too deep";

constexpr std::array kSources{"source", "substream"};
constexpr std::array kTokens{"token", "token_hash"};

/// Of members with one name the first is the one that is read: the others could hide a secret.
void dropRepeated(JsonValue& value, Allocator& allocator) {
    if (value.IsArray()) {
        for (JsonValue& item : value.GetArray()) dropRepeated(item, allocator);
    }
    if (!value.IsObject()) return;
    std::set<std::string> seen;
    JsonValue kept(rapidjson::kObjectType);
    const auto members = value.MemberBegin();
    for (rapidjson::SizeType i = 0; i < value.MemberCount(); ++i) {
        auto& member = members[static_cast<std::ptrdiff_t>(i)];
        if (!seen.emplace(member.name.GetString(), member.name.GetStringLength()).second) continue;
        dropRepeated(member.value, allocator);
        kept.AddMember(member.name, member.value, allocator);
    }
    value = kept;
}

/// Puts the secrets of one document into another.
class Restoring {
  public:
    Restoring(JsonDocument& candidate, JsonDocument& inForce)
        : candidate_(candidate), inForce_(inForce), allocator_(candidate.GetAllocator()) {}

    std::optional<Error> run() {
        eachOf(memberOf(candidate_, "cameras"), [this](JsonValue& item, auto i) { camera(item, i); });
        eachOf(tokensOf(candidate_), [this](JsonValue& item, auto i) { token(item, i); });
        eachOf(memberOf(candidate_, "uplinks"), [this](JsonValue& item, auto i) { uplink(item, i); });
        return trouble_;
    }

  private:
    void refuse(const std::string& place, const char* why) {
        if (!trouble_) trouble_ = Error{concat(place, ": ", why)};
    }

    /// `tailsOf`: URLs that may say what is behind the '?', `passwordsOf`: the password.
    void url(JsonValue& value, const std::vector<std::string>& tailsOf,
             const std::vector<std::string>& passwordsOf, const std::string& place) {
        auto parts = partsOf(value.GetString());
        if (!parts) return;
        const auto fill = [&](std::string& secret, const auto& known, const auto& fits, const auto& from) {
            for (const std::string& text : known) {
                const auto old = partsOf(text);
                if (!old || !old->leadsAs(*parts) || !fits(*old)) continue;
                secret = from(*old);
                return true;
            }
            return false;
        };
        const bool password = parts->password == kHidden;
        const bool tail = parts->tail == kHidden;
        if (password && !fill(
                            *parts->password, passwordsOf,
                            [&](const UrlParts& old) { return old.user == parts->user && old.password; },
                            [](const UrlParts& old) { return *old.password; })) {
            refuse(place, "\"***\" stands for a password in force, and there is none for this user there");
        }
        if (tail && !fill(
                        parts->tail, tailsOf,
                        [&](const UrlParts& old) { return old.head == parts->head && !old.tail.empty(); },
                        [](const UrlParts& old) { return old.tail; })) {
            refuse(place, "\"***\" stands for what is in force at this place, and nothing is");
        }
        if (password || tail) setText(value, parts->text(), allocator_);
    }

    void camera(JsonValue& item, rapidjson::SizeType index) {
        for (const char* field : kSources) {
            JsonValue* value = memberOf(item, field);
            if (value == nullptr || !value->IsString() || !isNetworkSource(value->GetString())) continue;
            std::vector<std::string> own, all;
            eachOf(memberOf(inForce_, "cameras"), [&](JsonValue& old, auto) {
                if (textAt(old, "id") == textAt(item, "id")) own.push_back(textAt(old, field));
                for (const char* each : kSources) all.push_back(textAt(old, each));
            });
            auto passwords = own;
            passwords.insert(passwords.end(), all.begin(), all.end());
            url(*value, own, passwords, concat("/cameras/", index, "/", field));
        }
    }

    /// Of several with one name the first is the first, as long as they are as many.
    void token(JsonValue& item, rapidjson::SizeType index) {
        for (const char* field : kTokens) {
            if (textAt(item, field) != kHidden) continue;
            const std::string name = nameOfToken(item, index);
            std::size_t before = 0, here = 0;
            eachOf(tokensOf(candidate_), [&](JsonValue& each, auto i) {
                if (nameOfToken(each, i) != name) return;
                ++here;
                if (i < index) ++before;
            });
            std::vector<std::string> known;
            eachOf(tokensOf(inForce_), [&](JsonValue& each, auto i) {
                if (nameOfToken(each, i) == name) known.push_back(textAt(each, field));
            });
            const std::string place = concat("/server/tokens/", index, "/", field);
            if (known.size() != here || known[before].empty() || known[before] == kHidden)
                return refuse(place, "\"***\" stands for the one in force, and there is none of this name");
            setText(*memberOf(item, field), known[before], allocator_);
        }
    }

    void uplink(JsonValue& item, rapidjson::SizeType index) {
        const std::string place = concat("/uplinks/", index);
        JsonValue* old = nullptr;
        std::vector<std::string> hubs, proxies;
        const std::string name = nameOfUplink(item);
        eachOf(memberOf(inForce_, "uplinks"), [&](JsonValue& each, auto) {
            if (old != nullptr || nameOfUplink(each) != name) return;
            old = &each;
            for (const JsonValue* hub : hubsOf(each)) hubs.emplace_back(hub->GetString());
            proxies.push_back(textAt(each, "proxy"));
        });
        for (JsonValue* hub : hubsOf(item)) url(*hub, hubs, {}, place + "/url");
        if (JsonValue* proxy = memberOf(item, "proxy"); proxy != nullptr && proxy->IsString())
            url(*proxy, {}, proxies, place + "/proxy");
        if (textAt(item, "token") != kHidden) return;
        const std::string secret = old == nullptr ? std::string() : textAt(*old, "token");
        if (secret.empty())
            return refuse(place + "/token",
                          "\"***\" stands for the one in force, and there is none of this uplink");
        if (!goesWhere(hubs, hubsOf(item)) || !plainGoesSameWay(item, *old))
            return refuse(place + "/token",
                          "it was given for other hubs: to send it to these, give it again");
        setText(*memberOf(item, "token"), secret, allocator_);
    }

    static bool goesWhere(const std::vector<std::string>& before, const std::vector<JsonValue*>& now) {
        return std::ranges::all_of(now, [&](const JsonValue* hub) {
            const auto parts = partsOf(hub->GetString());
            return parts && std::ranges::any_of(before, [&](const std::string& text) {
                       const auto old = partsOf(text);
                       return old && old->leadsAs(*parts);
                   });
        });
    }

    /// A proxy reads what is not encrypted.
    static bool plainGoesSameWay(JsonValue& item, JsonValue& old) {
        const auto secure = [](const JsonValue* hub) {
            return std::string_view(hub->GetString()).starts_with("wss:");
        };
        if (std::ranges::all_of(hubsOf(item), secure)) return true;
        const auto proxy = partsOf(textAt(item, "proxy"));
        const auto before = partsOf(textAt(old, "proxy"));
        return !proxy || (before && before->leadsAs(*proxy));
    }

    JsonDocument& candidate_;
    JsonDocument& inForce_;
    Allocator& allocator_;
    std::optional<Error> trouble_;
};

/// By name; of one name there may be several.
std::vector<std::pair<std::string, uplink::TokenHash>> knownHashes(const std::string& inForce) {
    std::vector<std::pair<std::string, uplink::TokenHash>> known;
    auto document = parseJson(inForce.empty() ? "{}" : inForce);
    if (!document) return known;
    eachOf(tokensOf(*document), [&](JsonValue& token, auto index) {
        const auto hash = uplink::TokenHash::parse(textAt(token, "token_hash"));
        if (hash) known.emplace_back(nameOfToken(token, index), *hash);
    });
    return known;
}

}  // namespace

Result<PlainDocument> plainDocument(std::string_view text, const std::string& inForce) {
    auto document = parseJson(text, JsonDialect::withComments);
    if (!document) return document.error();
    if (isDeeperThan(*document, kDeepest)) return Error{kTooDeep};
    Allocator& allocator = document->GetAllocator();
    dropRepeated(*document, allocator);
    const std::string whole = toJson(*document);
    g_autofree char* digest =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole.data(), static_cast<gssize>(whole.size()));
    const auto known = knownHashes(inForce);
    eachOf(tokensOf(*document), [&](JsonValue& token, auto index) {
        JsonValue* plain = memberOf(token, "token");
        if (plain == nullptr || !plain->IsString() || token.HasMember("token_hash")) return;
        const std::string secret = textAt(token, "token");
        const auto same = std::ranges::find_if(known, [&](const auto& each) {
            return each.first == nameOfToken(token, index) && each.second.matches(secret);
        });
        const uplink::TokenHash hash = same != known.end() ? same->second : uplink::TokenHash::of(secret);
        setText(*plain, hash.text(), allocator);
        setText(token.FindMember("token")->name, "token_hash", allocator);
    });
    return PlainDocument{toJson(*document), digest};
}

std::string withoutSecrets(const std::string& text) {
    auto document = parseJson(text);
    if (!document) return "{}";
    Allocator& allocator = document->GetAllocator();
    const auto hideUrl = [&](JsonValue& url) { setText(url, hidden(url.GetString()), allocator); };
    eachOf(memberOf(*document, "cameras"), [&](JsonValue& camera, auto) {
        for (const char* field : kSources) {
            if (isNetworkSource(textAt(camera, field))) hideUrl(*memberOf(camera, field));
        }
    });
    eachOf(tokensOf(*document), [&](JsonValue& token, auto index) {
        const std::string name = nameOfToken(token, index);
        for (const char* field : kTokens) {
            if (JsonValue* secret = memberOf(token, field)) setText(*secret, kHidden, allocator);
        }
        if (!token.IsObject() || token.HasMember("name")) return;
        token.AddMember("name", JsonValue(name.c_str(), allocator), allocator);
    });
    eachOf(memberOf(*document, "uplinks"), [&](JsonValue& uplink, auto) {
        for (JsonValue* hub : hubsOf(uplink)) hideUrl(*hub);
        if (JsonValue* token = memberOf(uplink, "token")) setText(*token, kHidden, allocator);
        if (!textAt(uplink, "proxy").empty()) hideUrl(*memberOf(uplink, "proxy"));
    });
    return toJson(*document);
}

Result<std::string> withSecretsOf(const std::string& inForce, const std::string& candidate) {
    auto before = parseJson(inForce);
    auto document = parseJson(candidate);
    if (!before) return before.error();
    if (!document) return document.error();
    if (isDeeperThan(*document, kDeepest)) return Error{kTooDeep};
    if (const auto trouble = Restoring(*document, *before).run()) return *trouble;
    return toJson(*document);
}

}  // namespace edgecam::agent
