/** What the manifests need to be told: where the sources are, and what opens them. */
export interface SampleSources {
  /** Absolute path of the file that `buildAdministrativeUnits` wrote. */
  readonly administrativeUnits: string;
  /** Absolute path of the file that `buildAgencyList` wrote. */
  readonly agencyList: string;
  readonly ports: Readonly<Record<'mot-cua' | 'doanh-nghiep' | 'thu-nghiem', number>>;
  readonly apiKeys: Readonly<Record<'mot-cua' | 'doanh-nghiep' | 'thu-nghiem', string>>;
}

/** Port 1 (tcpmux) is privileged and long out of use: nobody listens there. */
const NOBODY_LISTENS_PORT = 1;

/** Grants of the sample end a year after its first start. */
const YEAR_MS = 365 * 86_400_000;

/** The values for `${NAME}` and the credentials of all sample services, by variable. */
export function sampleValues(sources: SampleSources): Readonly<Record<string, string>> {
  const { administrativeUnits, agencyList, ports, apiKeys } = sources;
  return {
    DVHC_FILE: administrativeUnits,
    CO_QUAN_FILE: agencyList,
    MOT_CUA_PORT: String(ports['mot-cua']),
    DOANH_NGHIEP_PORT: String(ports['doanh-nghiep']),
    THU_NGHIEM_PORT: String(ports['thu-nghiem']),
    NGUON_TAT_PORT: String(NOBODY_LISTENS_PORT),
    MOT_CUA_API_KEY: apiKeys['mot-cua'],
    DOANH_NGHIEP_API_KEY: apiKeys['doanh-nghiep'],
    THU_NGHIEM_API_KEY: apiKeys['thu-nghiem'],
    HAN_DUNG: new Date(Date.now() + YEAR_MS).toISOString().slice(0, 10),
  };
}
