// Style sheets of libraries are texts here (build.mjs).
declare module "*.css" {
  const text: string;
  export default text;
}
