function pairsView() {}
