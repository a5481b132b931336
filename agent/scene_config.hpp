// SceneConfig: what a camera's config says of its view. The schema has checked types and ranges by then.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "vision/scene_rules.hpp"

namespace edgecam::agent {

/// `camera`: the camera's object. The error names its place from there: "/zones/1/name: …".
Result<vision::SceneRules> readScene(const JsonValue& camera);

}  // namespace edgecam::agent
