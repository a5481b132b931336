// JsonSchema: holds a document against a JSON Schema (draft 4) and says in words what is wrong where.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace edgecam::agent {

/// Immutable after construction.
class JsonSchema {
  public:
    static Result<JsonSchema> parse(std::string_view text);
    ~JsonSchema();
    JsonSchema(JsonSchema&&) noexcept;
    JsonSchema& operator=(JsonSchema&&) noexcept;

    /// The first thing wrong, its place first: "/cameras/0/id: must match …".
    [[nodiscard]] Result<void> check(const JsonValue& document) const;

  private:
    struct Compiled;
    explicit JsonSchema(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
};

}  // namespace edgecam::agent
