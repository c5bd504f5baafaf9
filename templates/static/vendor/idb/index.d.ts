// What the pages use of idb, for the type check; its own types need a build.
export function openDB(name: string, version: number, callbacks: {
  upgrade(db: any): void;
  terminated(): void;
}): Promise<any>;
