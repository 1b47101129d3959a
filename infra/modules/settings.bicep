// The settings of one function app, and the door before the host's own routes.

@description('Name of the function app.')
param appName string

@description('all, front, worker or broker: decides which functions the app registers.')
param role string

@description('Client id of the app\'s identity.')
param identityClientId string

@description('Storage account of the app\'s host.')
param hostAccountName string

@description('Vault of the app\'s secrets; empty where it has none.')
param vaultName string

@description('The app\'s settings whose values are in the vault, each under its own name in small letters, with - for _.')
param givenSecrets string[]

@description('What is the same for every app: addresses, client ids and what the deployment was told. Its keys are those that stand below.')
param common object

@description('Whether the host\'s own routes, Durable\'s among them, ask for a token of Tenantry API beside their key.')
param hostRoutesClosed bool

// The portals of the public cloud, the only one in which Microsoft Graph's Bicep extension works.
var portals = {
  mto: 'https://mto.security.microsoft.com'
  defender: 'https://security.microsoft.com'
  myAccount: 'https://myaccount.microsoft.com'
  entra: 'https://entra.microsoft.com'
}

// A reference to a secret that is not there would reach the app as its value, so only those are made that somebody says are
// given. Without a version, so that a new one is taken up within a day.
var secretSettings = toObject(
  givenSecrets,
  setting => setting,
  setting => '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${toLower(replace(setting, '_', '-'))})'
)

var brokerSettings = empty(common.clientIds.broker) ? {} : {
  TENANTRY_BROKER_CLIENT_ID: common.clientIds.broker
  TENANTRY_BROKER_WEBHOOK_CEILING: common.webhookCeiling
}

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

// All settings there are, written at once: one that a person made beside them is gone after it.
resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    {
      AzureWebJobsStorage__accountName: hostAccountName
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: common.insightsConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      AZURE_FUNCTIONS_DURABLE_STRICT_TYPING: '1'
      TENANTRY_ROLE: role
      TENANTRY_SOURCE_MODE: common.sourceMode
      TENANTRY_SOURCE_TENANT_ID: tenant().tenantId
      TENANTRY_PUBLIC_URL: common.publicUrl
      TENANTRY_AUTHORITY: environment().authentication.loginEndpoint
      TENANTRY_GRAPH_ENDPOINT: 'https://graph.microsoft.com'
      TENANTRY_ARM_ENDPOINT: environment().resourceManager
      TENANTRY_API_CLIENT_ID: common.clientIds.api
      TENANTRY_LOOKUP_CLIENT_ID: common.clientIds.lookup
      TENANTRY_SOURCE_CLIENT_ID: common.clientIds.source
      TENANTRY_SETUP_CLIENT_ID: common.clientIds.setup
      TENANTRY_ACCESS_CLIENT_ID: common.clientIds.access
      TENANTRY_HUNT_CLIENT_ID: common.clientIds.hunt
      TENANTRY_IDENTITY_CLIENT_ID: identityClientId
      TENANTRY_TABLES_ENDPOINT: common.tablesEndpoint
      TENANTRY_AUDIT_TABLES_ENDPOINT: common.auditTablesEndpoint
      TENANTRY_AUDIT_BLOBS_ENDPOINT: common.auditBlobsEndpoint
      TENANTRY_MTO_PORTAL: portals.mto
      TENANTRY_DEFENDER_PORTAL: portals.defender
      TENANTRY_MYACCOUNT_PORTAL: portals.myAccount
      TENANTRY_ENTRA_PORTAL: portals.entra
      TENANTRY_AZURE_ROLES: join(common.azureRoles, ',')
      TENANTRY_NIGHTLY_HOUR: string(common.nightlyHour)
      TENANTRY_RENEWAL_HOUR: string(common.renewalHour)
      TENANTRY_RENEWAL_WINDOW_DAYS: string(common.renewalWindowDays)
      TENANTRY_RENEWAL_MOST_CHANGES: string(common.renewalMostChanges)
      TENANTRY_CONSENT_DEADLINE_DAYS: string(common.consentDeadlineDays)
      TENANTRY_REPLICATION_DEADLINE_MINUTES: string(common.replicationDeadlineMinutes)
      TENANTRY_PROVISIONING_DEADLINE_MINUTES: string(common.provisioningDeadlineMinutes)
    },
    secretSettings,
    brokerSettings
  )
}

// Durable's management API (/runtime/webhooks/durabletask) is part of the host and cannot be switched off, in host.json or
// elsewhere (azure-functions-durable-extension issues 838 and 880); the platform's access restrictions know no paths. It asks
// for the system key durabletask_extension, which the app never hands out. App Service authentication stands before it, too:
// whatever is not below /api needs a token of Tenantry API first. /api is excluded, for there the app checks tokens itself,
// and has routes that are open by intent; of an app that answers nothing there it is not. No secret is configured, so nobody
// can sign in to this door with a browser.
resource door 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: hostRoutesClosed
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: role == 'all' || role == 'front' ? [
        '/api/*'
      ] : []
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: common.clientIds.api
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            common.clientIds.api
          ]
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}
