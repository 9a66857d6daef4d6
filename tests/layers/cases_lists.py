"""Rows of the data layers that read lists of label images, films, numbers and triplets, and the files they read."""

import numpy as np
from layer_rows import row
from PIL import Image


def fill(folder):
    """Make the files that the rows read in `folder`, which stands for FOLDER in them."""
    rng = np.random.default_rng(3)
    (folder / "pairs").mkdir()
    for i, size in enumerate([(7, 9), (8, 6), (6, 6)]):
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(folder / "pairs" / f"{i}.png")
        Image.fromarray(rng.integers(0, 20, size, np.uint8)).save(folder / "pairs" / f"l{i}.png")
    for name, rest in (("pixels", "l{0}.png"), ("labels", "{0}"), ("numbers", "0.5 {0} -1"),
                       ("triplets", "1.png 2.png"), ("windows", "l{0}.png -1 2 3 6")):
        (folder / "pairs" / f"{name}.txt").write_text("".join(f"{i}.png {rest.format(i)}\n" for i in range(3)))
    for film in range(2):
        (folder / f"film{film}").mkdir()
        for frame in range(1, 8):
            for name in (f"{frame:06d}.jpg", f"x_{frame:03d}.jpg", f"y_{frame:03d}.jpg"):  # what is in a file counts
                Image.fromarray(rng.integers(0, 256, (6, 7, 3), np.uint8)).save(folder / f"film{film}" / name, "PNG")
    (folder / "clips.txt").write_text(f"{folder}/film0 2 3\n{folder}/film1 1 4\n{folder}/film1 3 0\n")
    (folder / "films.txt").write_text(f"{folder}/film0 7 3\n{folder}/film1 6 4\n")
    (folder / "labelled.txt").write_text(f"{folder}/film0 7 0,2\n{folder}/film1 7 1\n")


def pairs(kind, source, options="", transform="", tops="x l"):
    field = "dense_image_data_param" if kind == "DenseImageData" else "image_data_param"
    return row(kind, [], f'{field} {{ source: "FOLDER/pairs/{source}.txt" root_folder: "FOLDER/pairs/" batch_size: 2 '
               f"{options} }} transform_param {{ {transform} }}", tops=tops)


def films(kind, source, options, transform="", tops="x l"):
    return row(kind, [], f'video_data_param {{ source: "FOLDER/{source}.txt" batch_size: 2 {options} }} '
               f"transform_param {{ {transform} }}", tops=tops)


SNIPPETS = 'modality: RGB name_pattern: "%06d.jpg"'
CASES = {
    "DenseImageData": pairs("DenseImageData", "pixels", "new_height: 5 new_width: 6", "mean_value: 3 scale: 0.5"),
    "DenseImageData crop": pairs("DenseImageData", "pixels", "crop_height: 4 crop_width: 5 mirror: true shuffle: true"),
    "ImageSegData": pairs("ImageSegData", "labels", "new_height: 5 new_width: 6 is_color: false"),
    "ImageSegData pixels": pairs("ImageSegData", "pixels", "label_type: PIXEL rand_skip: 2",
                                 "crop_size: 7 mirror: true scale_factors: 0.5 scale_factors: 1.5 mean_value: 9",
                                 "x l s"),
    "ImageSegData none": pairs("ImageSegData", "pixels", "label_type: NONE ignore_label: 7",
                               "crop_height: 9 crop_width: 5"),
    "WindowSegData": pairs("WindowSegData", "windows", "label_type: PIXEL new_height: 8 new_width: 7",
                           "crop_size: 6 mirror: true"),
    "ImageLabelmapData": pairs("ImageLabelmapData", "pixels", "new_height: 5 new_width: 6", "mean_value: 3"),
    "VideoData": films("VideoData", "clips", "use_image: true new_length: 3 sampling_rate: 2"
                       " new_height: 6 new_width: 5", "mean_value: 1 mean_value: 2 mean_value: 3"),
    "VideoData drawn": films("VideoData", "labelled", "use_image: true use_temporal_jitter: true new_length: 2 "
                             "use_sampling_rate_jitter: true max_sampling_rate: 3 use_multiple_label: true "
                             "num_of_labels: 4 shuffle: true", "crop_size: 4 mirror: true"),
    "SegmentVideoData": films("VideoData", "films", f"{SNIPPETS} num_segments: 2 new_length: 2",
                              "mean_value: 1 mean_value: 2 mean_value: 3 scale: 0.25"),
    "SegmentVideoData flow": films("SegmentVideoData", "films",
                                   'name_pattern: "%c_%03d.jpg" new_length: 2 shuffle: true',
                                   "crop_size: 4 mirror: true is_flow: true multi_scale: true fix_crop: true"),
    "MultiLabelImageData": pairs("MultiLabelImageData", "numbers", "label_num: 3 new_height: 5 new_width: 6"),
    "MultiLabelImageData first line": pairs("MultiLabelImageData", "numbers", "shuffle: true", "crop_size: 4"),
    "TripletImageData": pairs("TripletImageData", "triplets", "new_height: 5 new_width: 6", tops="x"),
    "TripletImageData crop": pairs("TripletImageData", "triplets", "shuffle: true", "crop_size: 3 mirror: true",
                                   tops="x"),
    "Data shuffled": row("Data", [], 'data_param { source: "FOLDER/lmdb" backend: LMDB batch_size: 3 shuffle: true } ',
                         tops="x l"),
}
