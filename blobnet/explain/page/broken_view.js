function brokenView() {}
