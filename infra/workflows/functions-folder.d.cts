export const functionsFolder: string | undefined;
