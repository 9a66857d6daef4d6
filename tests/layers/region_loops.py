"""The losses of YOLOv2 and YOLOv3 and the detections of YOLO in loops over cells, anchors and true boxes."""

import math

import numpy as np

from blobnet.check.standalone import read_layer


def squash(t):
    return 1 / (1 + math.exp(-t))


def iou(a, b):
    """Of boxes [x, y, w, h] around their middles."""
    sides = [min(a[k] + a[k + 2] / 2, b[k] + b[k + 2] / 2) - max(a[k] - a[k + 2] / 2, b[k] - b[k + 2] / 2)
             for k in (0, 1)]
    if min(sides) <= 0:
        return 0
    return sides[0] * sides[1] / (a[2] * a[3] + b[2] * b[3] - sides[0] * sides[1])


def softmax(scores):
    weights = [math.exp(score - max(scores)) for score in scores]
    return [weight / sum(weights) for weight in weights]


def predicted(t, a, row, column, height, width, anchors):
    """The box of anchor a of a cell with the numbers t."""
    return [(column + squash(t[0])) / width, (row + squash(t[1])) / height,
            anchors[a][0] * math.exp(t[2]) / width, anchors[a][1] * math.exp(t[3]) / height]


def anchors_of(options):
    return list(zip(options.biases[::2], options.biases[1::2]))


def true_boxes(labels, images):
    """Lists of [class, x, y, w, h] by image."""
    if labels.shape[-1] == 8:
        found = [[] for _ in range(images)]
        for n, label, _, x1, y1, x2, y2, _ in labels.reshape(-1, 8):
            if n != -1 and x2 > x1 and y2 > y1:
                found[int(n)].append([int(label) - 1, (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])
        return found
    found = []
    for rows in labels.reshape(images, -1, 5):
        found.append([])
        for label, *box in rows:
            if box[2] == 0:
                break
            found[-1].append([int(label), *box])
    return found


def region_loss(source):
    """The loss as a function of predictions and labels, with the options of the prototxt `source`."""
    options = read_layer(source).region_loss_param

    def loss(x, labels):
        images, _, height, width = x.shape
        anchors, as_ssd = anchors_of(options), labels.shape[-1] == 8
        x = x.reshape(images, len(anchors), -1, height, width)
        total = 0
        for n, truth in enumerate(true_boxes(labels, images)):
            errors = {}
            for a, row, column in np.ndindex(len(anchors), height, width):
                box = predicted(x[n, a, :, row, column], a, row, column, height, width, anchors)
                o = squash(x[n, a, 4, row, column])
                if max([iou(box, other[1:]) for other in truth], default=0) <= options.thresh:
                    errors[a, row, column] = [options.noobject_scale * o * o * (1 - o)]
            for label, *goal in truth:
                row, column = int(goal[1] * height), int(goal[0] * width)
                sizes = [(w / width, h / height) for w, h in anchors]
                boxes = [predicted(x[n, a, :, row, column], a, row, column, height, width, anchors)
                         for a in range(len(anchors))]
                if not options.bias_match:
                    sizes = [box[2:] for box in boxes]
                a = int(np.argmax([iou([0, 0, *size], [0, 0, *goal[2:]]) for size in sizes]))
                t = x[n, a, :, row, column]
                o, p, f = squash(t[4]), softmax(t[5:]), options.coord_scale
                if not as_ssd and not options.rescore:
                    f *= 2 - goal[2] * goal[3]
                d = [f * (squash(v) - (g * s - c)) * squash(v) * (1 - squash(v))
                     for v, g, s, c in zip(t, goal, (width, height), (column, row))]
                for k, s in ((2, width), (3, height)):
                    miss = t[k] - math.log(goal[k] * s / anchors[a][k - 2])
                    d.append(f * (max(-1, min(1, miss)) if as_ssd else miss))
                if as_ssd:
                    d.append(-2 * options.object_scale * (1 - o) ** 3 * o * (1 - o))
                else:
                    wanted = iou(boxes[a], goal) if options.rescore else 1
                    d.append(options.object_scale * (o - wanted) * o * (1 - o))
                d += [options.class_scale * (p[k] - (k == label)) for k in range(len(p))]
                errors[a, row, column] = d
            total += sum(v * v for d in errors.values() for v in d)
        return total if as_ssd else total / images
    return loss


def yolov3_errors(options, x, labels):
    """For every image a map from (anchor, row, column) to the numbers d, and one to what they come from."""
    images, _, height, width = x.shape
    anchors = [(w / options.anchors_scale, h / options.anchors_scale) for w, h in anchors_of(options)]
    own, e = [anchors[k] for k in options.mask], options.label_smooth_eps
    x = x.reshape(images, len(own), -1, height, width)
    factor = options.object_scale if options.use_logic_gradient else 1
    for n, truth in enumerate(true_boxes(labels, images)):
        errors, classes = {}, {}
        for a, row, column in np.ndindex(len(own), height, width):
            t = x[n, a, :, row, column]
            box, near = predicted(t, a, row, column, height, width, own), 0
            for other in truth:
                near = max(near, iou(box, other[1:]))
            errors[a, row, column] = [0] * len(t)
            if near <= options.thresh:
                errors[a, row, column][4] = squash(t[4])
        for label, *goal in truth:
            row, column = int(goal[1] * height), int(goal[0] * width)
            shares = [iou([0, 0, w / width, h / height], [0, 0, *goal[2:]]) for w, h in anchors]
            for a, k in enumerate(options.mask):
                if shares[k] < max(shares) and (options.iou_thresh >= 1 or shares[k] <= options.iou_thresh):
                    continue
                t = x[n, a, :, row, column]
                f = options.coord_scale * (2 - goal[2] * goal[3])
                wanted = classes.setdefault((a, row, column), set())
                wanted.add(label)
                errors[a, row, column] = [
                    f * (squash(t[0]) - (goal[0] * width - column)), f * (squash(t[1]) - (goal[1] * height - row)),
                    f * (t[2] - math.log(goal[2] * width / own[a][0])),
                    f * (t[3] - math.log(goal[3] * height / own[a][1])), factor * (squash(t[4]) - 1),
                    *[options.class_scale * (squash(t[5 + c]) - (1 - e / 2 if c in wanted else e / 2))
                      for c in range(options.num_class)]]
        yield errors


def yolov3(source):
    """The loss of YOLOv3 as a function of predictions and labels, with the options of the prototxt `source`."""
    options = read_layer(source).yolov3_param

    def loss(x, labels):
        return sum(v * v for errors in yolov3_errors(options, x, labels) for d in errors.values()
                   for v in d) / len(x)
    return loss


def yolo_seg(source):
    """The loss of YoloSeg as a function of scores, shares and perhaps places."""
    options = read_layer(source).yolo_seg_param

    def loss(x, y, places=None):
        total, (images, _, height, width) = 0, x.shape
        for n, c, i, j in np.ndindex(x.shape):
            weight = options.object_scale
            if places is not None and y[n, c, i, j] > 0.5:
                there = sum(places[m][c] for m in range(images))
                weight *= 2 - there / sum(height * width - places[m][c] for m in range(images))
            total += (weight * (squash(x[n, c, i, j]) - y[n, c, i, j])) ** 2
        return total / images
    return loss


def judged(found, goals, options, region):
    """The rows [class, score, right, wrong] of detections (class, score, box), for true boxes (class, box, counts)."""
    found, kept = sorted(found, key=lambda row: -row[1]), []
    for row in found:
        if options.nms < 0 or all(iou(row[2], other[2]) < options.nms for other in kept):
            kept.append(row)
    if region:
        kept = [row for row in kept if row[1] >= 0.005] if options.nms >= 0 else []
    rows, taken = [], set()
    for label, score, box in sorted(kept, key=lambda row: row[0]):
        own = [(iou(box, goal), -g) for g, (other, goal, _) in enumerate(goals) if other == label]
        share, g = max(own, default=(0, 0))
        if not own or share < options.threshold:
            rows.append([label, score, 0, not (own and region)])
        elif not goals[-g][2]:
            rows.append([label, score, 0, 0])
        else:
            rows.append([label, score, g not in taken, g in taken])
            taken.add(g)
    return rows


def eval_detection(source):
    """The top of EvalDetection, with or without biases, as a function of predictions, labels and what comes after."""
    options = read_layer(source).eval_detection_param
    S, C, B, region = options.side, options.num_class, options.num_object, bool(options.biases)

    def score(o, p):
        return {options.OBJ: o, options.PROB: p, options.MULTIPLY: o * p}[options.score_type]

    def predictions(x):
        for row, column, a in np.ndindex(S, S, B):
            if region:
                t = x.reshape(B, 5 + C, S, S)[a, :, row, column]
                p = softmax(t[5:])
                yield (int(np.argmax(p)), score(squash(t[4]), max(p)),
                       predicted(t, a, row, column, S, S, anchors_of(options)))
                continue
            cell, (p, o, t) = row * S + column, np.split(x.ravel(), [S * S * C, S * S * (C + B)])
            p = [p[k * S * S + cell] for k in range(C)]
            t = [t[(a * 4 + k) * S * S + cell] for k in range(4)]
            if options.constriant:
                t[:2] = (column + t[0]) / S, (row + t[1]) / S
            if options.sqrt:
                t[2:] = t[2] ** 2, t[3] ** 2
            yield int(np.argmax(p)), score(o[a * S * S + cell], max(p)), t

    def truth(labels, images):
        if region:
            return [[(label, box, True) for label, *box in rows] for rows in true_boxes(labels, images)]
        found = []
        for row in labels.reshape(images, -1):
            cells = [(row[c], row[S * S + c], row[2 * S * S + c], row[3 * S * S + 4 * c:][:4]) for c in range(S * S)]
            found.append([(int(label), box, difficult != 1) for difficult, there, label, box in cells if there])
        return found

    def top(x, labels, *_):
        y = np.zeros((len(x), C + 4 * S * S * B))
        for row, image, goals in zip(y, x, truth(labels, len(x))):
            for label, _, counts in goals:
                row[label] += counts
            rows = np.array(judged(list(predictions(image)), goals, options, region), float).ravel()
            row[C:C + len(rows)] = rows
        return y
    return top


def detections(source):
    """The rows of YoloDetectionOutput and of Yolov3DetectionOutput as a function of maps."""
    layer = read_layer(source)
    third = layer.type == "Yolov3DetectionOutput"
    options = layer.yolov3_detection_output_param if third else layer.yolo_detection_output_param
    A, C = options.num_box, options.num_classes

    def scored(x, n, k):
        height, width = x.shape[2:]
        anchors = anchors_of(options)
        if third:
            cell = options.anchors_scale[k]
            anchors = [(anchors[m][0] / cell, anchors[m][1] / cell) for m in options.mask[A * k:A * k + A]]
        for a, row, column in np.ndindex(A, height, width):
            t = x[n].reshape(A, 5 + C, height, width)[a, :, row, column]
            for c, p in enumerate([squash(v) for v in t[5:]] if third else softmax(t[5:])):
                score = squash(t[4]) * p
                if score > options.confidence_threshold:
                    yield score, c, predicted(t, a, row, column, height, width, anchors)

    def top(*maps):
        rows = []
        for n in range(len(maps[0])):
            kept = []
            for score, c, box in sorted((own for k, x in enumerate(maps) for own in scored(x, n, k)), reverse=True):
                if all(iou(box, other[2]) < options.nms_threshold for other in kept):
                    kept.append((score, c, box))
            rows += [[n, c + 1, score, x - w / 2, y - h / 2, x + w / 2, y + h / 2] for score, c, (x, y, w, h) in kept]
        return np.array(rows or [[n] + [-1] * 6 for n in range(len(maps[0]))], float)[None, None]
    return top
