// Validation never calls these: whatever does is told so.
const absent = () => {
  throw new Error("Power BI Desktop is not here");
};
export const METHODS = {};
export const isDesktopBridgeError = () => false;
export {
  absent as getMethodNames,
  absent as normalizeReportFolder,
  absent as reportFoldersEqual,
  absent as resolveReportDir,
  absent as openSession,
  absent as readDesktopStatus,
  absent as resolveInstanceForReportFolder,
  absent as openDesktop,
};
