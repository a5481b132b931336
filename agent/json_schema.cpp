#include "agent/json_schema.hpp"

#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <utility>

namespace edgecam::agent {
namespace {

std::string textOf(const rapidjson::Pointer& pointer) {
    rapidjson::StringBuffer buffer;
    pointer.Stringify(buffer);
    return {buffer.GetString(), buffer.GetSize()};
}

/// A name in `object` that `schema` does not know, for the sentence about additionalProperties.
std::string unknownName(const JsonValue& object, const JsonValue& schema) {
    const auto known = schema.FindMember("properties");
    for (const auto& member : object.GetObject()) {
        if (known == schema.MemberEnd() || !known->value.HasMember(member.name))
            return member.name.GetString();
    }
    return "?";
}

/// Whether `value` is the object with the unknown key, not one of its members.
bool speaksOf(const JsonValue& rule, const JsonValue* value) {
    return value != nullptr && value->IsObject() && unknownName(*value, rule) != "?";
}

std::string missingName(const JsonValue& object, const JsonValue& schema) {
    for (const JsonValue& name : schema["required"].GetArray()) {
        if (!object.HasMember(name)) return name.GetString();
    }
    return "?";
}

/// The sentence for one keyword of the schema that `value` fails. `rule` is the schema at that place.
std::string explain(std::string_view keyword, const JsonValue& rule, const JsonValue& value) {
    const auto expected = [&] {
        const auto member = rule.FindMember(rapidjson::StringRef(keyword.data(), keyword.size()));
        return member == rule.MemberEnd() ? std::string("?") : toJson(member->value);
    };
    if (keyword == "type") return "must be of type " + expected() + ", not " + toJson(value).substr(0, 60);
    if (keyword == "enum") return "must be one of " + expected() + ", not " + toJson(value).substr(0, 60);
    if (keyword == "minimum") return "must be at least " + expected();
    if (keyword == "maximum") return "must be at most " + expected();
    if (keyword == "minLength") return "must not be empty";
    if (keyword == "maxLength") return "is longer than " + expected() + " characters";
    if (keyword == "maxItems") return "has more than " + expected() + " items";
    if (keyword == "pattern") return "must match " + expected();
    if (keyword == "required") return "\"" + missingName(value, rule) + "\" is missing";
    if (keyword == "additionalProperties") return "unknown key \"" + unknownName(value, rule) + "\"";
    return "breaks the rule \"" + std::string(keyword) + "\"";
}

}  // namespace

struct JsonSchema::Compiled {
    JsonDocument source;
    rapidjson::SchemaDocument schema;
    explicit Compiled(JsonDocument document) : source(std::move(document)), schema(source) {}
};

JsonSchema::JsonSchema(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
JsonSchema::~JsonSchema() = default;
JsonSchema::JsonSchema(JsonSchema&&) noexcept = default;
JsonSchema& JsonSchema::operator=(JsonSchema&&) noexcept = default;

Result<JsonSchema> JsonSchema::parse(std::string_view text) {
    auto document = parseJson(text);
    if (!document) return document.error().within("schema");
    return JsonSchema(std::make_unique<Compiled>(*std::move(document)));
}

Result<void> JsonSchema::check(const JsonValue& document) const {
    rapidjson::SchemaValidator validator(compiled_->schema);
    if (document.Accept(validator)) return {};
    const std::string keyword = validator.GetInvalidSchemaKeyword();
    const rapidjson::Pointer place = validator.GetInvalidDocumentPointer();
    const JsonValue* rule = validator.GetInvalidSchemaPointer().Get(compiled_->source);
    // For an unknown key RapidJSON points at the key's value; the rule speaks of the object around it.
    const bool pointsAtMember = keyword == "additionalProperties" && place.GetTokenCount() > 0 &&
                                rule != nullptr && !speaksOf(*rule, place.Get(document));
    const rapidjson::Pointer object(place.GetTokens(), place.GetTokenCount() - (pointsAtMember ? 1 : 0));
    const JsonValue* value = object.Get(document);
    const std::string where = object.GetTokenCount() == 0 ? "/" : textOf(object);
    if (rule == nullptr || value == nullptr) return Error{where + ": breaks the rule \"" + keyword + "\""};
    return Error{where + ": " + explain(keyword, *rule, *value)};
}

}  // namespace edgecam::agent
