"""The named protocols, each a row of `protocol.Protocol`'s fields with the paper it comes from.

Where a paper is silent, its authors' program decides: the divisor, the queries that find nothing, the mAP of a curve.
Two are easily mistaken. The database of CIFAR-10 is the 54,000 images outside queries and training (the lists of DCH's
authors) or all 59,000 outside the queries (GreedyHash). And HashNet weights its loss, not its measure: its authors'
programs take the plain mAP of the first 1,000 or 5,000, over the queries that find something there. The mAP weighted by
shared labels is DSRH's, whose queries all have a label.
"""

from __future__ import annotations

from typing import Any

_BDNN = "Do, Doan and Cheung, Learning to Hash with Binary Deep Neural Network, ECCV 2016"
_DCH = "Cao, Long, Liu and Wang, Deep Cauchy Hashing for Hamming Space Retrieval, CVPR 2018"
_DPSH = "Li, Wang and Kang, Feature Learning based Deep Supervised Hashing with Pairwise Labels, IJCAI 2016"
_DSDH = "Li, Sun, He and Tan, Deep Supervised Discrete Hashing, NIPS 2017"
_DSH = "Liu, Wang, Shan and Chen, Deep Supervised Hashing for Fast Image Retrieval, CVPR 2016"
_DSRH = "Zhao, Huang, Wang and Tan, Deep Semantic Ranking Based Hashing for Multi-Label Image Retrieval, CVPR 2015"
_GREEDY = "Su, Zhang, Han and Tian, Greedy Hash: Towards Fast Optimization for Accurate Hash Coding in CNN, NIPS 2018"
_HASHNET = "Cao, Long, Wang and Yu, HashNet: Deep Learning to Hash by Continuation, ICCV 2017"

_ANY = {"queries": "queries", "database": "a separate database"}
_CIFAR = {"queries": "1,000 images, 100 a class,", "num_queries": 1000}

PROTOCOLS: dict[str, dict[str, Any]] = {
    "standard": _ANY,
    "neighbours": {**_ANY, "relevance": "neighbours"},
    "mAP@all": {**_ANY, "paper": _DPSH},
    "mAP@1000": {**_ANY, "top_k": 1000, "divisor": "found", "paper": _GREEDY},
    "mAP@5000": {**_ANY, "top_k": 5000, "divisor": "found", "paper": _DPSH},
    "mAP@54000": {**_ANY, "top_k": 54000, "divisor": "found", "without_relevant": "skip-unfound", "paper": _DCH},
    "weighted-mAP": {**_ANY, "relevance": "label-rows", "average": "gain", "top_k": 5000, "divisor": "found",
                     "paper": _DSRH},
    "dsh-authors": {"queries": "the test images", "database": "themselves, as in the DSH authors' script",
                    "query_in_database": True, "paper": _DSH},
    "cifar10-I": {**_CIFAR, "database": "the 54,000 that are neither queries nor of the 5,000 of training",
                  "num_base": 54000, "paper": _DCH},
    "cifar10-59000": {**_CIFAR, "database": "the other 59,000, the 5,000 of training among them", "num_base": 59000,
                      "paper": _GREEDY},
    "cifar10-II": {"queries": "10,000 images, 1,000 a class,", "database": "the 50,000 of training",
                   "num_queries": 10000, "num_base": 50000, "paper": _DSDH},
    "nus-wide": {"queries": "2,100 images, 100 a concept,", "database": "the other images of the 21 largest concepts",
                 "num_queries": 2100, "relevance": "label-rows", "num_labels": 21, "top_k": 5000, "divisor": "found",
                 "paper": _DPSH},
    "nus-wide-81": {"queries": "5,000 images", "database": "the other images of all 81 concepts", "num_queries": 5000,
                    "relevance": "label-rows", "num_labels": 81, "top_k": 5000, "divisor": "found",
                    "without_relevant": "skip-unfound", "paper": _HASHNET},
    "imagenet-100": {"queries": "the 5,000 validation images of 100 classes", "database": "their training images",
                     "num_queries": 5000, "top_k": 1000, "divisor": "found", "without_relevant": "skip-unfound",
                     "paper": _HASHNET},
    "ms-coco": {"queries": "5,000 images", "database": "the other images with any of the 80 labels",
                "num_queries": 5000, "relevance": "label-rows", "num_labels": 80, "top_k": 5000, "divisor": "found",
                "without_relevant": "skip-unfound", "paper": _HASHNET},
    "bdnn-neighbours": {"queries": "the test vectors", "database": "the vectors of training",
                        "relevance": "neighbours", "num_neighbours": 50, "average": "trapezoid", "paper": _BDNN},
}
