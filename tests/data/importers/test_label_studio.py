"""Label Studio's JSON, JSON-MIN, PNG and NumPy."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from fake_exports import write_array, write_json, write_picture, write_text
from keras_segformer.errors import InvalidDatasetError

CONFIG = """<View><Image name="img" value="$image"/>
<BrushLabels name="my-tag" toName="img"><Label value="car" background="#ff0000"/><Label value="sports-car"/>
<Label value="tv/monitor"/></BrushLabels></View>"""


def pack(alpha):
    """Label Studio's run lengths of an opacity `(H, W)`, uint8: words of 8 bits, single runs of up to 16 values."""
    pixels = np.repeat(alpha[..., None], 4, axis=-1).ravel()
    bits = f"{pixels.size:032b}{7:05b}" + f"{3:04b}" * 4
    start = 0
    while start < pixels.size:
        stop = start + 1
        while stop < min(start + 16, pixels.size) and pixels[stop] == pixels[start]:
            stop += 1
        if stop - start > 1:
            bits += f"1{2:02b}{stop - start - 1:04b}{pixels[start]:08b}"
        else:  # a run of single words
            bits += f"0{1:02b}{0:04b}{pixels[start]:08b}"
        start = stop
    bits += "0" * (-len(bits) % 8)
    return [int(bits[each : each + 8], 2) for each in range(0, len(bits), 8)]


def result(identifier, kind, value, label_key=None, labels=(), size=(20, 40), **others):
    value = {**value, **({label_key: list(labels)} if label_key else {})}
    return {
        "id": identifier, "type": kind, "from_name": "tag", "to_name": "img", "original_height": size[0],
        "original_width": size[1], "image_rotation": 0, "value": value, **others,
    }  # fmt: skip


def task(*results, identifier=1, annotations=None, image="/data/upload/3/0a1b2c3d-street%20a.jpg"):
    annotations = annotations if annotations is not None else [{"id": 5, "result": list(results)}]
    return {"id": identifier, "data": {"image": image}, "annotations": annotations, "predictions": [{"result": []}]}


def write(export, *tasks, config=CONFIG, encoding="utf-8"):
    write_json(export / "project-1.json", list(tasks), encoding)
    if config:
        write_text(export / "label_config.xml", config)
    write_picture(export / "images/street a.jpg", (20, 40))


BOX = {"x": 25, "y": 50, "width": 25, "height": 25, "rotation": 0}


def test_rectangles_are_in_percent(export, do_import):
    write(export, task(result("a", "rectanglelabels", BOX, "rectanglelabels", ["car"])), encoding="utf-8-sig")
    where = do_import().where("masks/street a.png", "car")
    expected = np.zeros((20, 40), bool)
    expected[10:15, 10:20] = True
    np.testing.assert_array_equal(where, expected)


def test_rectangles_turn_about_their_corner_in_pixels(export, do_import):
    write(export, task(result("a", "rectanglelabels", {**BOX, "rotation": 90}, "rectanglelabels", ["car"])))
    where = do_import().where("masks/street a.png", "car")
    expected = np.zeros((20, 40), bool)
    expected[10:20, 5:10] = True
    np.testing.assert_array_equal(where, expected)


def test_ellipses_have_radii_in_percent_of_both_sides(export, do_import):
    value = {"x": 50, "y": 50, "radiusX": 20, "radiusY": 20, "rotation": 90}
    write(export, task(result("a", "ellipselabels", value, "ellipselabels", ["car"])))
    rows, columns = np.nonzero(do_import().where("masks/street a.png", "car"))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 17, 16, 23)


def test_brushes_count_from_half(export, do_import):
    alpha = np.random.default_rng(0).choice([0, 127, 128, 255], (20, 40)).astype(np.uint8)
    write(export, task(result("a", "brushlabels", {"format": "rle", "rle": pack(alpha)}, "brushlabels", ["car"])))
    np.testing.assert_array_equal(do_import().where("masks/street a.png", "car"), alpha >= 128)


def test_bitmasks(export, do_import):
    alpha = np.random.default_rng(0).choice([0, 127, 128, 255], (20, 40)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([alpha * 0 + 9, alpha, alpha, alpha])).save(buffer, "PNG")
    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    write(export, task(result("a", "bitmasklabels", {"imageDataURL": url}, "bitmasklabels", ["car"])))
    np.testing.assert_array_equal(do_import().where("masks/street a.png", "car"), alpha >= 128)


def test_every_threshold_of_opacity(export, do_import):
    alpha = np.random.default_rng(0).choice([0, 1, 255], (20, 40)).astype(np.uint8)
    write(export, task(result("a", "brushlabels", {"format": "rle", "rle": pack(alpha)}, "brushlabels", ["car"])))
    np.testing.assert_array_equal(do_import(alpha_threshold=1).where("masks/street a.png", "car"), alpha > 0)


def test_shape_and_label_in_two_results_are_one_region(export, do_import):
    points = {"points": [[0, 0], [50, 0], [50, 50], [0, 50]]}
    results = [
        result("a", "polygon", points),
        result("a", "labels", points, "labels", ["tv/monitor"]),
        {"type": "relation"},
    ]
    write(export, task(*results))
    report = do_import().report
    assert report.pixels["tv/monitor"] == 200
    assert report.unknown == {}


def test_the_newest_annotation_counts_and_cancelled_ones_do_not(export, do_import):
    def annotation(identifier, label, **values):
        box = result("a", "rectanglelabels", BOX, "rectanglelabels", [label])
        return {"id": identifier, "result": [box], **values}

    annotations = [
        annotation(5, "car", created_at="2024-01-02"),
        annotation(6, "sports-car", created_at="2024-01-01"),
        annotation(7, "tv/monitor", created_at="2024-01-03", was_cancelled=True),
    ]
    write(export, task(annotations=annotations))
    report = do_import().report
    assert report.pixels["car"] == 50
    assert report.pixels["tv/monitor"] == 0
    assert any(note.startswith("1 annotations") for note in report.notes)


def test_each_annotation_on_its_own(export, do_import):
    annotations = [
        {"id": each, "result": [result("a", "rectanglelabels", BOX, "rectanglelabels", [label])]}
        for each, label in ((5, "car"), (6, "sports-car"))
    ]
    write(export, task(annotations=annotations))
    assert sorted(do_import(annotation="each").masks) == [
        "masks/street a-annotation-5.png",
        "masks/street a-annotation-6.png",
    ]


def test_cancelled_and_missing_annotations_are_pictures_without_label(export, do_import):
    other = task(identifier=2, annotations=[{"id": 8, "was_cancelled": True, "result": []}], image="b.jpg")
    write(export, task(result("a", "rectanglelabels", BOX, "rectanglelabels", ["car"])), other)
    assert do_import().report.without_label == ["b (task 2, cancelled)"]


def test_what_has_no_area_or_no_label(export, do_import):
    write(
        export,
        task(
            result("a", "choices", {"choices": ["sunny"]}),
            result("b", "keypointlabels", {"x": 1, "y": 1, "width": 0.5}, "keypointlabels", ["car"]),
            result("c", "rectangle", BOX),
            result("d", "rectanglelabels", BOX, "rectanglelabels", ["car"], image_rotation=90),
        ),
    )
    report = do_import().report
    assert report.skipped == {"choices": 1, "keypointlabels": 1}
    assert report.unknown == {"": 50}
    assert "turned by 90" in report.problems[0]


@pytest.mark.parametrize("key", ["x", "width", "rotation"])
@pytest.mark.parametrize("number", [float("inf"), float("nan"), "wide"])
def test_shapes_without_finite_numbers_are_named(key, number, export, do_import):
    good = result("a", "rectanglelabels", BOX, "rectanglelabels", ["car"])
    bad = result("b", "rectanglelabels", {**BOX, key: number}, "rectanglelabels", ["car"])
    write(export, task(good, bad))
    imported = do_import()
    assert imported.count("masks/street a.png")["car"] == 50
    assert [problem.partition(" that ")[0] for problem in imported.report.problems] == [
        "task 1 in project-1.json has a rectangle of 'car'"
    ]


def test_labels_of_key_points_are_no_classes(export, do_import):
    nose = result("b", "keypointlabels", {"x": 1, "y": 1, "width": 0.5}, "keypointlabels", ["nose"])
    write(export, task(nose, result("c", "rectanglelabels", BOX, "rectanglelabels", ["car"])), config=None)
    assert do_import().names == ["background", "car"]


def test_pictures_with_predictions_alone_are_named(export, do_import):
    predicted = {"id": 1, "data": {"image": "street a.jpg"}, "annotations": [], "predictions": [{"result": [{}]}]}
    write(export, predicted)
    with pytest.raises(InvalidDatasetError, match=r"Without label: images/street a.jpg \(task 1, only predicted\)"):
        do_import()


BOTH = {"left": "/data/upload/3/0a1b2c3d-street%20a.jpg", "right": "/data/upload/3/0a1b2c3e-b.jpg"}
CONFIG_OF_BOTH = CONFIG.replace(
    '<Image name="img" value="$image"/>', '<Image name="one" value="$left"/><Image name="two" value="$right"/>'
)


class TestTasksOfSeveralPictures:
    """A region is of the picture that it names, not of the first in the data of its task."""

    def region(self, picture, identifier="a", **fields):
        return result(identifier, "rectanglelabels", BOX, "rectanglelabels", ["car"], **{"to_name": picture, **fields})

    def write(self, export, *results, data=None, config=CONFIG):
        tasks = {"id": 1, "data": data or BOTH, "annotations": [{"id": 5, "result": list(results)}]}
        write(export, tasks, config=config)
        write_picture(export / "images/b.jpg", (20, 40))

    def test_the_configuration_tells(self, export, do_import):
        self.write(export, self.region("two"), config=CONFIG_OF_BOTH)
        imported = do_import()
        assert list(imported.masks) == ["masks/b.png"]
        assert imported.report.without_label == ["images/street a.jpg"]

    def test_the_key_of_the_data_tells(self, export, do_import):
        self.write(export, self.region("right"), config=None)
        assert list(do_import().masks) == ["masks/b.png"]

    def test_each_picture_gets_its_regions(self, export, do_import):
        left = result("a", "rectangle", BOX, to_name="one")
        label = result("a", "labels", {}, "labels", ["car"], to_name="one")
        large = result("b", "rectanglelabels", {**BOX, "width": 50}, "rectanglelabels", ["car"], to_name="two")
        self.write(export, left, label, large, config=CONFIG_OF_BOTH)
        imported = do_import()
        assert {path: imported.count(path)["car"] for path in imported.masks} == {
            "masks/street a.png": 50, "masks/b.png": 100,
        }  # fmt: skip

    def test_pages(self, export, do_import):
        data = {"pages": list(BOTH.values())}
        self.write(export, self.region("img", item_index=1), data=data, config=None)
        assert list(do_import().masks) == ["masks/b.png"]

    @pytest.mark.parametrize("results", [["image-2"], []])
    def test_what_nothing_tells_is_refused(self, results, export, do_import):
        self.write(export, *map(self.region, results))
        with pytest.raises(InvalidDatasetError, match=r"has several pictures.* add the labelling configuration"):
            do_import()

    def test_one_picture_under_two_keys(self, export, do_import):
        data = {"photo": BOTH["left"], "file name": "street a.jpg"}
        self.write(export, self.region("img"), data=data)
        assert do_import().count("masks/street a.png")["car"] == 50

    def test_the_short_form_does_not_tell(self, export, do_import):
        value = {**BOX, "rectanglelabels": ["car"], "original_width": 40, "original_height": 20}
        write_json(export / "min.json", [{"id": 1, **BOTH, "tag": [value], "annotation_id": 5}])
        write_picture(export / "images/b.jpg", (20, 40))
        with pytest.raises(InvalidDatasetError, match=r"Task 1 in min.json has several pictures.* export it as JSON"):
            do_import()

    def test_layers_do_not_tell(self, export, do_import):
        self.write(export, config=None)
        write_array(export / "task-1-annotation-5-by-1-tag-car-0.png", np.full((20, 40), 255, np.uint8))
        with pytest.raises(InvalidDatasetError, match=r"Task 1 has several pictures.* export it as JSON"):
            do_import()


def test_labels_without_a_configuration(export, do_import):
    write(export, task(result("a", "rectanglelabels", BOX, "rectanglelabels", ["größer"])), config=None)
    assert do_import().names == ["background", "größer"]


def test_the_short_form(export, do_import):
    value = {**BOX, "rectanglelabels": ["car"], "original_width": 40, "original_height": 20}
    write(export, {"id": 3, "image": "/data/local-files/?d=images/street%20a.jpg", "tag": [value]})
    assert do_import().count("masks/street a.png") == {"car": 50, "background": 750}


@pytest.mark.parametrize("rle", [[1, 2, 3], ["x"], [-1], [300], [0, 0, 0, 1, 0]])
def test_broken_run_lengths_are_named(rle, export, do_import):
    brush = result("a", "brushlabels", {"format": "rle", "rle": rle}, "brushlabels", ["car"])
    write(export, task(brush, result("b", "rectanglelabels", BOX, "rectanglelabels", ["car"])))
    report = do_import().report
    assert report.pixels["car"] == 50
    assert "has run lengths" in report.problems[0]


def layer(export, name, *, top, value=255):
    opacity = np.zeros((6, 8), np.uint8)
    opacity[:top] = value
    write_array(export / name, opacity)


def test_layers_and_dashes_in_names(export, do_import):
    write_text(export / "label_config.xml", CONFIG)
    layer(export, "task-1-annotation-2-by-me@site.org-my-tag-car-0.png", top=1)
    layer(export, "task-1-annotation-2-by--my-tag-sports-car-0.png", top=3)
    layer(export, "task-1-annotation-2-by-1-my-tag-tv-monitor-0.png", top=5)
    write_picture(export / "task-1.jpg")
    imported = do_import()
    assert imported.count("masks/task-1.png") == {"car": 8, "sports-car": 16, "tv/monitor": 16, "background": 8}
    assert imported.report.overlap == 24


def test_layers_of_one_label_are_united(export, do_import):
    layer(export, "task-1-annotation-2-by-1-tag-car-0.png", top=1)
    layer(export, "task-1-annotation-2-by-1-tag-car-1.png", top=3, value=127)
    layer(export, "task-1-annotation-2-by-1-tag-car-2.png", top=2, value=128)
    write_picture(export / "task-1.jpg")
    assert do_import().count("masks/task-1.png") == {"car": 16, "background": 32}


def test_numpy_layers(export, do_import):
    buffer = io.BytesIO()
    np.save(buffer, np.full((6, 8), 255, np.uint8))
    (export / "task-1-annotation-2-by-1-tag-car-0.npy").write_bytes(buffer.getvalue())
    write_picture(export / "task-1.jpg")
    assert do_import().count("masks/task-1.png") == {"car": 48}


def test_layers_take_their_picture_from_the_tasks(export, do_import):
    write(export, task(), config=None)
    opacity = np.full((20, 40), 255, np.uint8)
    write_array(export / "task-1-annotation-5-by-1-tag-car-0.png", opacity)
    imported = do_import()
    assert imported.report.format == "label-studio-png"
    assert imported.count("masks/street a.png") == {"car": 800}


def test_several_annotations_in_layers(export, do_import):
    layer(export, "task-1-annotation-2-by-1-tag-car-0.png", top=1)
    layer(export, "task-1-annotation-3-by-2-tag-car-0.png", top=2)
    write_picture(export / "task-1.jpg")
    imported = do_import()
    assert imported.count("masks/task-1.png")["car"] == 16
    assert any(note.startswith("1 annotations") for note in imported.report.notes)


def test_the_newest_annotation_counts_without_layers(export, do_import):
    """It says that nothing of what the older one drew is there."""
    layer(export, "task-1-annotation-2-by-1-tag-car-0.png", top=1)
    layer(export, "task-2-annotation-4-by-1-tag-car-0.png", top=1)
    annotations = [{"id": 2, "updated_at": "2024-01-01"}, {"id": 3, "updated_at": "2024-01-02"}]
    tasks = [
        {"id": 1, "data": {"image": "a.jpg"}, "annotations": annotations},
        {"id": 2, "data": {"image": "b.jpg"}, "annotations": [{"id": 4}]},
    ]
    write_json(export / "tasks.json", tasks)
    for name in "ab":
        write_picture(export / f"{name}.jpg")
    imported = do_import()
    assert list(imported.masks) == ["masks/b.png"]
    assert imported.report.without_label == ["a.jpg (task 1, whose annotation that counts has no layer)"]
    assert any(note.startswith("1 annotations") for note in imported.report.notes)


def test_a_broken_layer_is_named(export, do_import):
    layer(export, "task-1-annotation-2-by-1-tag-car-0.png", top=1)
    (export / "task-1-annotation-2-by-1-tag-bus-0.png").write_bytes(b"\x89PNG")
    write_picture(export / "task-1.jpg")
    report = do_import().report
    assert report.pixels["car"] == 8
    assert "bus-0.png, which cannot be read" in report.problems[0]


def test_records_of_the_short_form_without_a_region_are_background(export, do_import):
    value = {**BOX, "rectanglelabels": ["car"], "original_width": 40, "original_height": 20}
    records = [
        {"id": 1, "image": "street a.jpg", "tag": [value], "annotation_id": 1},
        {"id": 2, "image": "b.jpg", "annotation_id": 2, "annotator": 1},
    ]
    write(export, *records)
    write_picture(export / "images/b.jpg")
    imported = do_import()
    assert imported.count("masks/street a.png") == {"car": 50, "background": 750}
    assert imported.count("masks/b.png") == {"background": 48}
