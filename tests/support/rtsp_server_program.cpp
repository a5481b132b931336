// rtsp_server PORT FILE|- CODEC AUTH|- [LAUNCH|- [SUBLAUNCH]]: an RTSP camera. Serves
// rtsp://127.0.0.1:PORT/cam and prints "ready PORT". FILE is an MP4 without B-frames, looped without a break
// in time; "-": LAUNCH, or a moving ball. AUTH: basic or digest, with user "user" and password "pass".
// SUBLAUNCH: what its second, smaller stream is, at /sub; a number: FILE again, 640x360 at 15/s in so many
// kbit/s.
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr const char* kBall =
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=640,height=360,framerate=30/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! video/x-h264,profile=main "
    "! rtph264pay name=pay0 pt=96 config-interval=-1 )";

struct Loop {
    std::vector<GstBuffer*> units;
    GstCaps* caps = nullptr;
    guint64 next = 0;
    int rate = 30;
};

/// The access units of a file, by way of `recode`; never freed, the process ends with them.
Loop load(const std::string& file, const std::string& codec, int rate, const std::string& recode = {}) {
    Loop loop;
    loop.rate = rate;
    const std::string text = "filesrc name=f ! qtdemux ! " + recode + codec +
                             "parse config-interval=-1 ! video/x-" + codec +
                             ",stream-format=byte-stream,alignment=au ! appsink name=o sync=false";
    GstElement* pipeline = gst_parse_launch(text.c_str(), nullptr);
    GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline), "f");
    g_object_set(source, "location", file.c_str(), nullptr);
    GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "o");
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    while (GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink))) {
        loop.units.push_back(gst_buffer_copy_deep(gst_sample_get_buffer(sample)));
        gst_caps_replace(&loop.caps, gst_sample_get_caps(sample));
        gst_sample_unref(sample);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    return loop;
}

void pushNext(GstElement* source, guint, gpointer data) {
    auto& loop = *static_cast<Loop*>(data);
    GstBuffer* buffer = gst_buffer_copy(loop.units[loop.next % loop.units.size()]);
    const GstClockTime each = GST_SECOND / static_cast<GstClockTime>(loop.rate);
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = loop.next * each;
    GST_BUFFER_DURATION(buffer) = each;
    ++loop.next;
    gst_app_src_push_buffer(GST_APP_SRC(source), buffer);
}

void configure(GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer loop) {
    GstElement* top = gst_rtsp_media_get_element(media);
    GstElement* source = gst_bin_get_by_name(GST_BIN(top), "s");
    // A medium is made anew when the last client has gone: its time begins at 0 again.
    static_cast<Loop*>(loop)->next = 0;
    g_object_set(source, "caps", static_cast<Loop*>(loop)->caps, nullptr);
    g_signal_connect(source, "need-data", G_CALLBACK(pushNext), loop);
    gst_object_unref(source);
    gst_object_unref(top);
}

void play(GstRTSPMediaFactory* factory, Loop& loop, const std::string& codec) {
    const std::string text = "( appsrc name=s format=time is-live=true block=false max-bytes=0 ! " + codec +
                             "parse ! rtp" + codec + "pay name=pay0 pt=96 mtu=1400 config-interval=-1 )";
    gst_rtsp_media_factory_set_launch(factory, text.c_str());
    g_signal_connect(factory, "media-configure", G_CALLBACK(configure), &loop);
}

/// The file once more, as small as cameras' second streams are.
Loop loadSmall(const std::string& file, const std::string& codec, const std::string& kbps) {
    return load(file, "h264", 15,
                codec + "parse ! avdec_" + codec +
                    " ! videoconvert ! videoscale ! videorate ! "
                    "video/x-raw,format=I420,width=640,height=360,framerate=15/1 ! "
                    "x264enc tune=zerolatency speed-preset=veryfast key-int-max=15 bitrate=" +
                    kbps + " ! ");
}

void protect(GstRTSPServer* server, GstRTSPMediaFactory* factory, const std::string& kind) {
    GstRTSPAuth* auth = gst_rtsp_auth_new();
    GstRTSPToken* token =
        gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "user", nullptr);
    if (kind == "digest") {
        gst_rtsp_auth_set_supported_methods(auth, GST_RTSP_AUTH_DIGEST);
        gst_rtsp_auth_add_digest(auth, "user", "pass", token);
    } else {
        gchar* basic = gst_rtsp_auth_make_basic("user", "pass");
        gst_rtsp_auth_add_basic(auth, basic, token);
        g_free(basic);
    }
    gst_rtsp_token_unref(token);
    GstRTSPPermissions* permissions = gst_rtsp_permissions_new();
    gst_rtsp_permissions_add_role(permissions, "user", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN,
                                  TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, nullptr);
    gst_rtsp_media_factory_set_permissions(factory, permissions);
    gst_rtsp_permissions_unref(permissions);
    gst_rtsp_server_set_auth(server, auth);
    g_object_unref(auth);
}

}  // namespace

int main(int count, char** words) {
    if (count < 5) {
        std::fprintf(stderr, "rtsp_server PORT FILE|- CODEC AUTH|- [LAUNCH|- [SUBLAUNCH]]\n");
        return 64;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    gst_init(nullptr, nullptr);
    const std::string file = words[2];
    const std::string codec = words[3];
    const std::string auth = words[4];
    Loop loop, smallLoop;
    GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
    gst_rtsp_media_factory_set_shared(factory, TRUE);
    if (file == "-") {
        const bool given = count > 5 && std::string(words[5]) != "-";
        gst_rtsp_media_factory_set_launch(factory, given ? words[5] : kBall);
    } else {
        loop = load(file, codec, 30);
        if (loop.units.empty()) return 66;
        play(factory, loop, codec);
    }
    GstRTSPServer* server = gst_rtsp_server_new();
    gst_rtsp_server_set_address(server, "127.0.0.1");
    gst_rtsp_server_set_service(server, words[1]);
    if (auth != "-") protect(server, factory, auth);
    GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server);
    gst_rtsp_mount_points_add_factory(mounts, "/cam", factory);
    if (count > 6) {
        GstRTSPMediaFactory* small = gst_rtsp_media_factory_new();
        gst_rtsp_media_factory_set_shared(small, TRUE);
        if (words[6][0] == '(') {
            gst_rtsp_media_factory_set_launch(small, words[6]);
        } else {
            smallLoop = loadSmall(file, codec, words[6]);
            if (smallLoop.units.empty()) return 66;
            play(small, smallLoop, "h264");
        }
        gst_rtsp_mount_points_add_factory(mounts, "/sub", small);
    }
    g_object_unref(mounts);
    if (gst_rtsp_server_attach(server, nullptr) == 0) return 69;
    std::printf("ready %d\n", gst_rtsp_server_get_bound_port(server));
    std::fflush(stdout);
    g_main_loop_run(g_main_loop_new(nullptr, FALSE));
}
