#include "agent/data_dir.hpp"

#include <glib.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.hpp"
#include "base/log.hpp"

namespace edgecam::agent {
namespace {

namespace fs = std::filesystem;

Result<void> replaceFile(const std::string& path, const std::string& content) {
    g_autoptr(GError) error = nullptr;
    // Written beside, synced, renamed over: after a power cut there is the old file or the new one.
    const auto flags =
        static_cast<GFileSetContentsFlags>(G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE);
    if (g_file_set_contents_full(path.c_str(), content.data(), static_cast<gssize>(content.size()), flags,
                                 0600, &error) == 0) {
        return Error{error->message};
    }
    return {};
}

std::string readFile(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

/// 32 bytes of the kernel's randomness as base64url (RFC 4648 section 5), without padding.
Result<std::string> randomToken() {
    std::array<std::uint8_t, 32> bytes{};
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        return Error{"the kernel gave no random bytes"};
    }
    g_autofree char* encoded = g_base64_encode(bytes.data(), bytes.size());
    std::string token = encoded;
    for (char& letter : token) letter = letter == '+' ? '-' : letter == '/' ? '_' : letter;
    while (!token.empty() && token.back() == '=') token.pop_back();
    return token;
}

constexpr int kMostConfigDepth = 64;
constexpr std::int64_t kMostPlanBytes{uplink::DataPlan::kMostBytes};

void writeMonth(JsonWriter& json, const char* month, const char* bytes,
                const std::optional<uplink::PlanRecord::Month>& of) {
    if (!of) return;
    const unsigned number = static_cast<unsigned>(of->month.month());
    json.field(month, concat(static_cast<int>(of->month.year()), number < 10 ? "-0" : "-", number));
    json.field(bytes, of->bytes);
}

/// "2026-07"; years as TrustedTime takes them.
std::optional<uplink::PlanRecord::Month> readMonth(FieldReader& entry, const char* month, const char* bytes) {
    const std::string text = entry.text(month, 7).value_or("");
    const auto used = entry.integer(bytes, 0, kMostPlanBytes);
    if (text.empty() && !used) return std::nullopt;
    const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    const auto numberAt = [&](std::size_t at, std::size_t count) {
        int number = 0;
        for (const char c : text.substr(at, count)) number = 10 * number + (c - '0');
        return number;
    };
    const bool shaped = text.size() == 7 && text[4] == '-' &&
                        std::ranges::all_of(text.substr(0, 4), isDigit) &&
                        std::ranges::all_of(text.substr(5), isDigit);
    if (shaped && used && numberAt(0, 4) >= 2023 && numberAt(5, 2) >= 1 && numberAt(5, 2) <= 12) {
        return uplink::PlanRecord::Month{std::chrono::year(numberAt(0, 4)) / numberAt(5, 2),
                                         static_cast<std::uint64_t>(*used)};
    }
    entry.refuse(month, "is no month with its bytes");
    return std::nullopt;
}

}  // namespace

Result<DataDir> DataDir::open(const std::string& path) {
    std::error_code trouble;
    const bool existed = fs::is_directory(path, trouble);
    if (!existed) fs::create_directories(path, trouble);
    if (trouble) return Error{"data_dir " + path + ": " + trouble.message()};
    if (!existed) fs::permissions(path, fs::perms::owner_all, trouble);
    return DataDir(path);
}

Result<std::string> DataDir::ownToken() {
    const std::string file = path_ + "/token";
    std::error_code trouble;
    if (fs::exists(file, trouble)) {
        std::string token = readFile(file);
        while (!token.empty() && g_ascii_isspace(token.back()) != 0) token.pop_back();
        // A file that lost its content to a power cut may have its length still: everybody knows zeros.
        const bool damaged = std::ranges::any_of(token, [](char c) { return g_ascii_iscntrl(c) != 0; });
        if (token.empty() || damaged) {
            return Error{file + " is empty, damaged or cannot be read; remove it to get a new token"};
        }
        return token;
    }
    return replaceOwnToken();
}

Result<std::string> DataDir::replaceOwnToken() {
    const std::string file = path_ + "/token";
    auto token = randomToken();
    if (!token) return token.error();
    if (auto kept = replaceFile(file, *token + "\n"); !kept) return kept.error().within("token");
    return token;
}

std::vector<uplink::Revocation> DataDir::revokedTokens() {
    const std::string file = path_ + "/revoked.json";
    std::error_code trouble;
    if (!fs::exists(file, trouble)) return {};
    std::vector<uplink::Revocation> revoked;
    const auto broken = [&](const std::string& why) {
        logError("agent", file, ": ", why, "; what it revoked holds again");
        return revoked;
    };
    const auto document = parseJson(readFile(file));
    if (!document) return broken(document.error().message);
    FieldReader fields(*document);
    const JsonValue* list = fields.any("revoked");
    if (list == nullptr || !list->IsArray()) return broken("has no list \"revoked\"");
    for (const JsonValue& item : list->GetArray()) {
        FieldReader entry(item);
        const auto hash = uplink::TokenHash::parse(entry.text("token").value_or(""));
        if (!hash) return broken(hash.error().message);
        uplink::Revocation revocation{*hash, std::nullopt};
        if (const auto until = entry.number("until", 0, 1e11)) {
            revocation.until = Utc(Microseconds(std::llround(*until * 1e6)));
        }
        revoked.push_back(revocation);
    }
    return revoked;
}

Result<void> DataDir::rememberRevoked(const std::vector<uplink::Revocation>& revoked) {
    JsonWriter json;
    json.beginObject().key("revoked").beginArray();
    for (const uplink::Revocation& each : revoked) {
        json.beginObject().field("token", each.token.text());
        if (each.until) json.field("until", secondsOf(*each.until));
        json.endObject();
    }
    json.endArray().endObject();
    return replaceFile(path_ + "/revoked.json", json.take() + "\n");
}

std::set<std::string> DataDir::disabledCameras() {
    const std::string file = path_ + "/cameras.json";
    std::error_code trouble;
    if (!fs::exists(file, trouble)) return {};
    const auto document = parseJson(readFile(file));
    if (!document) {
        logWarning("agent", file, ": ", document.error().message, "; all cameras count as enabled");
        return {};
    }
    FieldReader fields(*document);
    const auto ids = fields.texts("disabled", 1000, 64);
    if (!ids) return {};
    return {ids->begin(), ids->end()};
}

Result<void> DataDir::rememberDisabled(const std::set<std::string>& cameraIds) {
    JsonWriter json;
    json.beginObject().key("disabled").beginArray();
    for (const std::string& id : cameraIds) json.value(id);
    json.endArray().endObject();
    return replaceFile(path_ + "/cameras.json", json.take() + "\n");
}

std::map<std::string, uplink::PlanRecord> DataDir::usedPlans() {
    const std::string file = path_ + "/plans.json";
    std::error_code trouble;
    if (!fs::exists(file, trouble)) return {};
    std::map<std::string, uplink::PlanRecord> plans;
    const auto broken = [&](const std::string& why) {
        logError("agent", file, ": ", why, "; what it counted of data plans is counted no more");
    };
    const auto document = parseJson(readFile(file));
    if (!document) {
        broken(document.error().message);
        return plans;
    }
    FieldReader fields(*document);
    const JsonValue* list = fields.any("uplinks");
    if (list == nullptr || !list->IsArray()) {
        broken("has no list \"uplinks\"");
        return plans;
    }
    for (const JsonValue& item : list->GetArray()) {
        FieldReader entry(item);
        entry.require("name");
        const std::string name = entry.text("name").value_or("");
        const uplink::PlanRecord record{
            .month = readMonth(entry, "month", "bytes"),
            .undated = static_cast<std::uint64_t>(entry.integer("undated", 0, kMostPlanBytes).value_or(0)),
            .earlier = readMonth(entry, "earlier_month", "earlier_bytes")};
        if (entry.ok()) {
            plans[name] = record;
        } else {
            broken(entry.error().message);
        }
    }
    return plans;
}

Result<void> DataDir::rememberPlans(const std::map<std::string, uplink::PlanRecord>& plans) {
    JsonWriter json;
    json.beginObject().key("uplinks").beginArray();
    for (const auto& [name, record] : plans) {
        json.beginObject().field("name", name);
        writeMonth(json, "month", "bytes", record.month);
        json.field("undated", record.undated);
        writeMonth(json, "earlier_month", "earlier_bytes", record.earlier);
        json.endObject();
    }
    json.endArray().endObject();
    return replaceFile(path_ + "/plans.json", json.take() + "\n");
}

std::optional<DataDir::RemoteConfig> DataDir::remoteConfig() {
    const std::string file = path_ + "/remote_config.json";
    std::error_code trouble;
    if (!fs::exists(file, trouble)) return std::nullopt;
    const auto document = parseJson(readFile(file));
    const auto broken = [&](const std::string& why) {
        logError("agent", file, ": ", why, "; it is not used");
        return std::nullopt;
    };
    if (!document) return broken(document.error().message);
    if (isDeeperThan(*document, kMostConfigDepth)) return broken("lists and objects in one another too deep");
    FieldReader fields(*document);
    for (const char* name : {"config", "replaces", "confirmed_at"}) fields.require(name);
    const JsonValue* config = fields.object("config");
    RemoteConfig remote{.document = config != nullptr ? toJson(*config) : std::string(),
                        .replacedDigest = fields.text("replaces", 64).value_or(""),
                        .confirmedAt = {},
                        .by = fields.text("by").value_or("")};
    const double at = fields.number("confirmed_at", 0, 1e11).value_or(0);
    remote.confirmedAt = Utc(Microseconds(std::llround(at * 1e6)));
    if (!fields.ok()) return broken(fields.error().message);
    return remote;
}

Result<void> DataDir::rememberRemoteConfig(const RemoteConfig& config) {
    JsonWriter json;
    json.beginObject().field("confirmed_at", std::max(0.0, secondsOf(config.confirmedAt)));
    json.field("by", config.by).field("replaces", config.replacedDigest);
    json.key("config").raw(config.document).endObject();
    return replaceFile(path_ + "/remote_config.json", json.take() + "\n");
}

void DataDir::setRemoteConfigAside() {
    std::error_code trouble;
    const std::string file = path_ + "/remote_config.json";
    if (!fs::exists(file, trouble)) return;
    fs::rename(file, path_ + "/remote_config.old.json", trouble);
    if (trouble) logError("agent", file, ": ", trouble.message());
}

}  // namespace edgecam::agent
