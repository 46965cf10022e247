/** The build sets it from package.json. */
declare const PERENNIAL_VERSION: string | undefined;

/** Version of the package, or `unbuilt` in tests that run the sources. */
export const version = typeof PERENNIAL_VERSION === 'string' ? PERENNIAL_VERSION : 'unbuilt';
