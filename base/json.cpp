#include "base/json.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace edgecam {
namespace {

// Iterative: deep nesting must not eat the stack. Comments and the strict dialect share the rest.
constexpr unsigned kStrict = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
constexpr unsigned kWithComments = kStrict | rapidjson::kParseCommentsFlag;

std::string placeOf(std::string_view text, std::size_t offset) {
    const auto before = text.substr(0, std::min(offset, text.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto lineStart = before.rfind('\n');
    const auto column = lineStart == std::string_view::npos ? before.size() + 1 : before.size() - lineStart;
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

void appendEscaped(std::string& out, std::string_view text) {
    // RapidJSON's writer knows the escapes; it writes one value a document, which is what a string is.
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    out.append(buffer.GetString(), buffer.GetSize());
}

template <class Number>
void appendNumber(std::string& out, Number number) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end.ptr);
}

}  // namespace

Result<JsonDocument> parseJson(std::string_view text, JsonDialect dialect) {
    // RapidJSON takes it for the end of the text, whatever comes behind.
    if (const auto zero = text.find('\0'); zero != std::string_view::npos)
        return Error{"a NUL character (" + placeOf(text, zero) + ")"};
    JsonDocument document;
    if (dialect == JsonDialect::withComments) {
        document.Parse<kWithComments>(text.data(), text.size());
    } else {
        document.Parse<kStrict>(text.data(), text.size());
    }
    if (document.HasParseError()) {
        return Error{std::string(rapidjson::GetParseError_En(document.GetParseError())) + " (" +
                     placeOf(text, document.GetErrorOffset()) + ")"};
    }
    return document;
}

std::string toJson(const JsonValue& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    return {buffer.GetString(), buffer.GetSize()};
}

bool isDeeperThan(const JsonValue& value, int levels) {
    if (!value.IsObject() && !value.IsArray()) return false;
    if (levels <= 0) return true;
    const auto deeper = [&](const JsonValue& inner) { return isDeeperThan(inner, levels - 1); };
    if (value.IsArray()) return std::any_of(value.Begin(), value.End(), deeper);
    return std::any_of(value.MemberBegin(), value.MemberEnd(),
                       [&](const auto& member) { return deeper(member.value); });
}

void JsonWriter::separate() {
    if (afterKey_) {
        afterKey_ = false;
        return;
    }
    if (needsComma_.empty()) return;
    if (needsComma_.back()) out_ += ',';
    needsComma_.back() = true;
}

JsonWriter& JsonWriter::beginObject() {
    separate();
    out_ += '{';
    needsComma_.push_back(false);
    return *this;
}

JsonWriter& JsonWriter::endObject() {
    needsComma_.pop_back();
    out_ += '}';
    return *this;
}

JsonWriter& JsonWriter::beginArray() {
    separate();
    out_ += '[';
    needsComma_.push_back(false);
    return *this;
}

JsonWriter& JsonWriter::endArray() {
    needsComma_.pop_back();
    out_ += ']';
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    appendEscaped(out_, name);
    out_ += ':';
    afterKey_ = true;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    appendEscaped(out_, text);
    return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
    separate();
    out_ += flag ? "true" : "false";
    return *this;
}

JsonWriter& JsonWriter::value(double number) {
    if (!std::isfinite(number)) return null();
    separate();
    appendNumber(out_, number);
    return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
    separate();
    appendNumber(out_, number);
    return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
    separate();
    appendNumber(out_, number);
    return *this;
}

JsonWriter& JsonWriter::null() {
    separate();
    out_ += "null";
    return *this;
}

JsonWriter& JsonWriter::rounded(double number, int decimals) {
    if (!std::isfinite(number)) return null();
    const double scale = std::pow(10.0, decimals);
    return value(std::round(number * scale) / scale);
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

std::string JsonWriter::take() {
    needsComma_.clear();
    afterKey_ = false;
    return std::exchange(out_, {});
}

bool FieldReader::has(const char* name) const {
    return any(name) != nullptr;
}

const JsonValue* FieldReader::any(const char* name) const {
    if (!object_.IsObject()) return nullptr;
    const auto member = object_.FindMember(name);
    return member == object_.MemberEnd() ? nullptr : &member->value;
}

std::optional<std::string> FieldReader::text(const char* name, std::size_t maxLength) {
    const JsonValue* member = any(name);
    if (member == nullptr) return std::nullopt;
    if (!member->IsString()) {
        refuse(name, "must be a string");
        return std::nullopt;
    }
    if (member->GetStringLength() > maxLength) {
        refuse(name, "is longer than " + std::to_string(maxLength) + " bytes");
        return std::nullopt;
    }
    return std::string(member->GetString(), member->GetStringLength());
}

std::optional<bool> FieldReader::flag(const char* name) {
    const JsonValue* member = any(name);
    if (member == nullptr) return std::nullopt;
    if (!member->IsBool()) {
        refuse(name, "must be true or false");
        return std::nullopt;
    }
    return member->GetBool();
}

std::optional<std::int64_t> FieldReader::integer(const char* name, std::int64_t low, std::int64_t high) {
    const JsonValue* member = any(name);
    if (member == nullptr) return std::nullopt;
    if (!member->IsInt64() || member->GetInt64() < low || member->GetInt64() > high) {
        refuse(name, "must be an integer from " + std::to_string(low) + " to " + std::to_string(high));
        return std::nullopt;
    }
    return member->GetInt64();
}

std::optional<double> FieldReader::number(const char* name, double low, double high) {
    const JsonValue* member = any(name);
    if (member == nullptr) return std::nullopt;
    if (!member->IsNumber() || member->GetDouble() < low || member->GetDouble() > high) {
        std::string range = "must be a number from ";
        appendNumber(range, low);
        range += " to ";
        appendNumber(range, high);
        refuse(name, range);
        return std::nullopt;
    }
    return member->GetDouble();
}

std::optional<std::vector<std::string>> FieldReader::texts(const char* name, std::size_t maxCount,
                                                           std::size_t maxLength) {
    const JsonValue* member = any(name);
    if (member == nullptr) return std::nullopt;
    const auto isText = [&](const JsonValue& item) {
        return item.IsString() && item.GetStringLength() <= maxLength;
    };
    if (!member->IsArray() || member->Size() > maxCount ||
        !std::all_of(member->Begin(), member->End(), isText)) {
        refuse(name, "must be an array of at most " + std::to_string(maxCount) + " strings");
        return std::nullopt;
    }
    std::vector<std::string> items;
    for (const JsonValue& item : member->GetArray())
        items.emplace_back(item.GetString(), item.GetStringLength());
    return items;
}

const JsonValue* FieldReader::object(const char* name) {
    const JsonValue* member = any(name);
    if (member != nullptr && !member->IsObject()) {
        refuse(name, "must be an object");
        return nullptr;
    }
    return member;
}

void FieldReader::require(const char* name) {
    if (!has(name)) refuse(name, "is missing");
}

void FieldReader::refuse(const char* name, std::string_view why) {
    if (trouble_) return;
    badField_ = name;
    trouble_ = Error{std::string(name) + " " + std::string(why)};
}

}  // namespace edgecam
