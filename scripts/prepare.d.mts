/** Installs packages of Debian where that is allowed; true when they are there then. */
export function installPackages(names: readonly string[]): boolean;

/** What a person types to install packages of Debian, as the end of a sentence; empty where there is no apt. */
export function installHint(names: readonly string[]): string;
