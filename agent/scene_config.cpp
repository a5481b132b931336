#include "agent/scene_config.hpp"

#include <algorithm>
#include <string>

#include "base/log.hpp"

namespace edgecam::agent {
namespace {

Polygon readPolygon(const JsonValue& corners) {
    Polygon polygon;
    for (const JsonValue& corner : corners.GetArray()) {
        polygon.push_back({corner[0].GetFloat(), corner[1].GetFloat()});
    }
    return polygon;
}

}  // namespace

Result<vision::SceneRules> readScene(const JsonValue& camera) {
    vision::SceneRules scene;
    if (const auto zones = camera.FindMember("zones"); zones != camera.MemberEnd()) {
        for (const JsonValue& item : zones->value.GetArray()) {
            const JsonValue& name = item["name"];
            const Zone zone{{name.GetString(), name.GetStringLength()}, readPolygon(item["polygon"])};
            if (std::ranges::find(scene.zones, zone.name, &Zone::name) != scene.zones.end()) {
                return Error{concat("/zones/", scene.zones.size(), "/name: \"", zone.name,
                                    "\" is used by another zone")};
            }
            scene.zones.push_back(zone);
        }
    }
    if (const auto ignored = camera.FindMember("ignore"); ignored != camera.MemberEnd()) {
        for (const JsonValue& corners : ignored->value.GetArray()) {
            scene.ignored.push_back(readPolygon(corners));
        }
    }
    if (const auto least = camera.FindMember("min_face_px"); least != camera.MemberEnd()) {
        scene.minFacePx = least->value.GetInt();
    }
    return scene;
}

}  // namespace edgecam::agent
