// Prints where the faces of the test camera are: scene_truth WIDTH HEIGHT FPS FIRST LAST: one JSON line a
// picture,
// {"sequence": N, "faces": [[x, y, w, h] as fractions]}.
#include <cstdio>
#include <cstdlib>

#include "base/json.hpp"
#include "capture/synthetic_scene.hpp"

using namespace edgecam;

int main(int argc, char** argv) {
    if (argc != 6) return 64;
    const Size size{std::atoi(argv[1]), std::atoi(argv[2])};
    const capture::SyntheticScene scene(capture::TestPattern::faces, size, std::atof(argv[3]));
    for (long number = std::atol(argv[4]); number <= std::atol(argv[5]); ++number) {
        JsonWriter json;
        json.beginObject().field("sequence", static_cast<std::int64_t>(number)).key("faces").beginArray();
        for (const RectNorm& box : scene.faces(static_cast<std::uint32_t>(number))) {
            json.beginArray();
            for (const float side : {box.x, box.y, box.width, box.height}) json.rounded(side, 6);
            json.endArray();
        }
        json.endArray().endObject();
        std::printf("%s\n", json.take().c_str());
    }
    return 0;
}
