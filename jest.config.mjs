const shared = {
  testEnvironment: 'node',
  testEnvironmentOptions: { globalsCleanup: 'off' },
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '<rootDir>/jest.transform.mjs' },
};

export default {
  coverageProvider: 'v8',
  // types.ts holds no code: there is nothing in it to be covered.
  collectCoverageFrom: ['src/core/**/*.ts', '!src/core/types.ts'],
  coverageReporters: ['text-summary', 'json-summary'],
  coverageThreshold: { global: { lines: 95 } },
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/{integration,chart,image}/**/*.test.ts'],
    },
  ],
};
