// What the vendored scripts of the operator's page put into the window.
declare const uPlot: any;
declare const L: any;
