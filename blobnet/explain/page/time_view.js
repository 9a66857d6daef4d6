function timeView() {}
