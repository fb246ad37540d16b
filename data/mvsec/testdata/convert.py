# Makes a sequence like MVSEC's with h5py and converts it: the other implementation that
# the test compares with. python3 convert.py FOLDER. Needs h5py and NumPy.
import os
import sys
import numpy as np
import h5py

folder = sys.argv[1] + "/"
rng = np.random.RandomState(7)
W, H, N, FRAMES = 96, 72, 20000, 7
FB = -19.941771812941038

t0 = 1504645177.42
stamps = t0 + 0.06 + 0.05 * np.arange(FRAMES) + rng.uniform(-0.001, 0.001, FRAMES)
depth = rng.uniform(0.3, 12, (FRAMES, H, W)).astype("f4")
depth[rng.uniform(size=depth.shape) < 0.3] = np.nan
depth[0, 0, :4] = [0, np.inf, 1e-3, 0.5496]
# Depths whose label is a tie: 7 * 19.94... / z = k + 0.5, as near as float32 comes.
ties = (np.arange(1, 250) + 0.5).astype("f8")
depth[1].reshape(-1)[:249] = (7 * abs(FB) / ties).astype("f4")
depth[3] = np.nan


def events(seed):
    r = np.random.RandomState(seed)
    t = np.sort(r.uniform(stamps[0] - 0.1, stamps[-1] + 0.05, N))
    e = np.stack([r.randint(0, W, N), r.randint(0, H, N), t, r.randint(0, 2, N) * 2 - 1], 1).astype("f8")
    # Times on both edges of a window do not belong to it.
    e[1000, 2], e[1001, 2] = stamps[2], stamps[2] - 0.05
    e = e[np.argsort(e[:, 2], kind="stable")]
    # None at all in the window of frame 4.
    return e[(e[:, 2] <= stamps[4] - 0.05) | (e[:, 2] >= stamps[4])]


def maps(seed):
    r = np.random.RandomState(seed)
    y, x = np.mgrid[0:H, 0:W].astype("f8")
    mx, my = x * 1.03 - 6 + 0.02 * y, y * 1.05 - 7 - 0.01 * x
    mx[::7] = np.floor(mx[::7]) + 0.5  # ties
    my[::5] = np.floor(my[::5]) + 0.5
    mx[0, :6] = [-0.5, -0.49999999999999994, 0.49999999999999994, W - 0.5, W - 0.51, 0.5]
    my[0, :6] = 1
    return mx, my


os.makedirs(folder + "indoor_flying_calib")
both, rect = [events(1), events(2)], [maps(3), maps(4)]
for view, m in zip(["left", "right"], rect):
    for axis, v in zip("xy", m):
        np.savetxt(folder + "indoor_flying_calib/indoor_flying_%s_%s_map.txt" % (view, axis), v, fmt="%.18g")
m = [[np.loadtxt(folder + "indoor_flying_calib/indoor_flying_%s_%s_map.txt" % (v, a)) for a in "xy"] for v in ["left", "right"]]

with h5py.File(folder + "indoor_flying1_data.hdf5", "w") as f:
    for view, e in zip(["left", "right"], both):
        f.create_dataset("davis/%s/events" % view, data=e, compression="lzf", chunks=(4096, 4) if view == "left" else True)
        f.create_dataset("davis/%s/image_raw" % view, data=np.zeros((2, H, W), "u1"), compression="lzf", chunks=(1, H, W))
with h5py.File(folder + "indoor_flying1_gt.hdf5", "w") as f:
    f.create_dataset("davis/left/depth_image_rect", data=depth, compression="lzf", chunks=(1, H, W))
    f.create_dataset("davis/left/depth_image_rect_ts", data=stamps)

for name, keys in {"no_group_data": ["davis/left/events"], "no_right_data": ["davis/right/other"]}.items():
    with h5py.File(folder + name + ".hdf5", "w") as f:
        for k in keys:
            f[k] = both[0][:10]
with h5py.File(folder + "bad_data.hdf5", "w") as f:
    e = both[0].copy()
    e[5000:5010, 0] = W
    e[6000:6005, 1] = 2.5
    e[7000:7003, 3] = 0
    e[[8000, 8001]] = e[[8001, 8000]]
    f["davis/left/events"] = e
    f["davis/right/events"] = both[1]
with h5py.File(folder + "bad_gt.hdf5", "w") as f:
    f["davis/left/depth_image_rect"] = depth[:2]
    f["davis/left/depth_image_rect_ts"] = stamps[1::-1]


def round2(v):  # Python 2: half away from zero
    whole = np.trunc(v)
    return whole + np.sign(v) * (np.abs(v - whole) >= 0.5)


out = folder + "want/"
for d in "event0", "event1", "label":
    os.makedirs(out + d)
for i, ts in enumerate(stamps):
    for v, e in enumerate(both):
        rows = []
        for x, y, t, p in e[(ts - 0.05 < e[:, 2]) & (e[:, 2] < ts)]:
            rx, ry = round2(m[v][0][int(y), int(x)]), round2(m[v][1][int(y), int(x)])
            if 0 <= rx < W and 0 <= ry < H:
                rows.append([t, rx, ry, p])
        np.save(out + "event%d/%06d.npy" % (v, i), np.array(rows))
    d = depth[i]
    with np.errstate(all="ignore"):
        q = np.round(7 * abs(FB) / (d + 1e-15))
    q[np.isnan(q) | np.isinf(d) | (q >= 255)] = 255
    np.save(out + "label/%06d.npy" % i, q.astype("u1"))
with open(out + "timestamps.txt", "w") as f:
    f.write("# timestamp\n" + "".join("%f\n" % t for t in stamps))
