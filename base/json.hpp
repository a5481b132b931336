// JSON in and out, over RapidJSON: a parser that foreign bytes cannot hurt, a writer, and a reader of objects
// that says which field is wrong. It knows no message and no setting.
#pragma once

#include <rapidjson/document.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace edgecam {

using JsonValue = rapidjson::Value;
using JsonDocument = rapidjson::Document;

enum class JsonDialect { strict, withComments };

/// Parses one value. Nesting costs no stack; text must be valid UTF-8. An error names line and column.
Result<JsonDocument> parseJson(std::string_view text, JsonDialect dialect = JsonDialect::strict);

/// Costs a stack frame for each level of nesting: see isDeeperThan() for a stranger's value.
std::string toJson(const JsonValue& value);

/// Whether lists and objects lie in one another deeper than `levels` (0: the value is one itself).
bool isDeeperThan(const JsonValue& value, int levels);

/// Writes JSON text front to back. Keys and values must alternate as JSON wants; doubles that are not finite
/// become null. Reusable after take().
class JsonWriter {
  public:
    JsonWriter& beginObject();
    JsonWriter& endObject();
    JsonWriter& beginArray();
    JsonWriter& endArray();
    JsonWriter& key(std::string_view name);

    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(bool flag);
    JsonWriter& value(double number);
    JsonWriter& value(std::int64_t number);
    JsonWriter& value(std::uint64_t number);
    JsonWriter& value(std::int32_t number) { return value(static_cast<std::int64_t>(number)); }
    JsonWriter& value(std::uint32_t number) { return value(static_cast<std::uint64_t>(number)); }
    JsonWriter& null();
    /// A number with at most `decimals` digits behind the point, where more would be noise.
    JsonWriter& rounded(double number, int decimals);
    /// JSON text that was made elsewhere, as it is.
    JsonWriter& raw(std::string_view json);

    template <class T>
    JsonWriter& field(std::string_view name, const T& item) {
        key(name);
        return value(item);
    }

    /// The text so far; the writer is empty afterwards.
    std::string take();

  private:
    void separate();

    std::string out_;
    std::vector<bool> needsComma_;
    bool afterKey_ = false;
};

/// Reads the members of one object. Every call for a member that is there with the wrong type or out of range
/// records the first trouble and yields nothing, so a parser reads all it wants and asks once, at the end.
class FieldReader {
  public:
    explicit FieldReader(const JsonValue& object) : object_(object) {}

    [[nodiscard]] bool has(const char* name) const;
    std::optional<std::string> text(const char* name, std::size_t maxLength = 4096);
    std::optional<bool> flag(const char* name);
    std::optional<std::int64_t> integer(const char* name, std::int64_t low, std::int64_t high);
    std::optional<double> number(const char* name, double low, double high);
    std::optional<std::vector<std::string>> texts(const char* name, std::size_t maxCount,
                                                  std::size_t maxLength);
    /// The member if it is an object; nullptr otherwise.
    const JsonValue* object(const char* name);
    /// The member whatever it is; nullptr when absent.
    [[nodiscard]] const JsonValue* any(const char* name) const;

    /// For a field that must be there.
    void require(const char* name);
    /// Records a trouble found by the caller.
    void refuse(const char* name, std::string_view why);

    [[nodiscard]] bool ok() const { return !trouble_; }
    /// The field at fault and the sentence about it.
    [[nodiscard]] const std::string& badField() const { return badField_; }
    [[nodiscard]] const Error& error() const { return *trouble_; }

  private:
    const JsonValue& object_;
    std::string badField_;
    std::optional<Error> trouble_;
};

}  // namespace edgecam
